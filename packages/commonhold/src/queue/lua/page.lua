-- queue/page.lua, layout 1
-- Gathers the jobs of a page. Records that are gone, or that another program replaced, are left out.
-- Defines page, add_to_page(id, topic, status), is_full(limit)

local page = { jobs = {}, bytes = 0 }
-- An answer must arrive within its deadline, whatever the jobs weigh.
local most_bytes = 1048576

-- Adds the job if it concerns `topic` and has `status`, where these are not ''.
local function add_to_page(id, topic, status)
  local found = redis.pcall('HMGET', job_key(id), 'status', 'topic')
  if found.err or not found[1] then
    return
  end
  -- An id may have been used again since, for a job of another topic.
  if (topic ~= '' and found[2] ~= topic) or (status ~= '' and found[1] ~= status) then
    return
  end
  local record = redis.call('HGETALL', job_key(id))
  page.jobs[#page.jobs + 1] = { id, record }
  for _, part in ipairs(record) do
    page.bytes = page.bytes + #part
  end
end

local function is_full(limit)
  return #page.jobs >= limit or page.bytes >= most_bytes
end
