-- queue/notice.lua, layout 1
-- Tells of changes of jobs, on the queue's channel and on that of the job's topic.
-- Defines announce(kind, id, topic, status, progress)
-- include ../../channel/lua/append.lua

-- A stream that another program spoiled must not keep jobs from ending: nothing is announced on it then.
local function tell(channel, body)
  pcall(append_message, channel, channel, body, 3600000, 1000, notice_format, now)
end

local function announce(kind, id, topic, status, progress)
  if notice_format == '' then
    return
  end
  local notice
  if notice_format == 'json' then
    notice = { type = 'task_' .. kind, task_id = id, user_id = topic or '', status = status }
  else
    notice = { type = kind, job = id, topic = topic or '', status = status }
  end
  notice.progress = progress
  notice.timestamp = now
  local body = cjson.encode(notice)
  tell(notice_base, body)
  if topic then
    tell(notice_base .. ':user:' .. encode_part(topic), body)
  end
  if notice_format == 'json' then
    redis.call('PUBLISH', notice_base .. ':task:' .. id, body)
  end
end
