-- counter/civil.lua, layout 1
-- Names a day given as days since 1970-01-01: YYYY-MM-DD, in the Gregorian calendar.
-- Defines civil(day)

-- The algorithm is civil_from_days of Howard Hinnant, http://howardhinnant.github.io/date_algorithms.html. Its years begin
-- in March, so that a leap day is the last of its year.
local function civil(day)
  local floor = math.floor
  local shifted = day + 719468
  local era = floor(shifted / 146097)
  local dayOfEra = shifted - era * 146097
  local leapDays = floor(dayOfEra / 1460) - floor(dayOfEra / 36524) + floor(dayOfEra / 146096)
  local yearOfEra = floor((dayOfEra - leapDays) / 365)
  local dayOfYear = dayOfEra - (365 * yearOfEra + floor(yearOfEra / 4) - floor(yearOfEra / 100))
  local monthFromMarch = floor((5 * dayOfYear + 2) / 153)
  local dayOfMonth = dayOfYear - floor((153 * monthFromMarch + 2) / 5) + 1
  local month = monthFromMarch < 10 and monthFromMarch + 3 or monthFromMarch - 9
  local year = yearOfEra + era * 400 + (month <= 2 and 1 or 0)
  return string.format('%04d-%02d-%02d', year, month, dayOfMonth)
end
