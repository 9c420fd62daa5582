-- Sends requests of many visitors in turn; the requests are put together before the clock runs.
local cookies = {
$COOKIES
}
local requests, turn = {}, 0

function init()
  for number, cookie in ipairs(cookies) do
    local headers = { $HEADERS }
    headers["cookie"] = cookie
    requests[number] = wrk.format("GET", "$PATH", headers)
  end
end

function request()
  turn = turn % #requests + 1
  return requests[turn]
end
