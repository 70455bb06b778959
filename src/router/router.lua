-- What HAProxy's own rules cannot do: hold a request while its app starts, and answer
-- one whose dyno stays silent. The configuration sets these variables.

local hosts = Map.new(os.getenv('HOSTS_MAP'), Map._str)
local pages = os.getenv('PAGES')
local hold_seconds = tonumber(os.getenv('HOLD_SECONDS'))

local POLL = 20 -- milliseconds

local STATUS = { H81 = 502 }

local function page(code)
  local file = assert(io.open(pages .. '/' .. code .. '.html', 'rb'))
  local body = file:read('a')
  file:close()
  return body
end

local bodies = {}
for _, code in ipairs({ 'H10', 'H12', 'H14', 'H20', 'H80', 'H81', 'H99' }) do
  bodies[code] = page(code)
end

-- Raises to end the transaction: nothing after it runs.
local function answer(txn, code)
  txn:set_var('txn.code', code)
  local reply = txn:reply({ status = STATUS[code] or 503 })
  reply:add_header('content-type', 'text/html; charset=utf-8')
  reply:add_header('cache-control', 'no-cache, no-store')
  reply:set_body(bodies[code])
  txn:done(reply)
end

-- Ends when the app's backend has a server; answers once its state gets it a page.
core.register_action('hold', { 'http-req' }, function(txn)
  local name = txn.c:lower(txn.c:host_only(txn:get_var('txn.host')))
  local backend = txn:get_var('txn.entry'):match('^[^/]*')
  local deadline = core.now().sec + hold_seconds
  repeat
    core.msleep(POLL)
    if txn.f:nbsrv(backend) > 0 then
      return
    end
    local entry = hosts:lookup(name)
    local state = entry and entry:match('^[^/]*/([^/]*)')
    if state ~= 'up' and state ~= 'starting' then
      answer(txn, bodies[state] and state or 'H99')
    end
  until core.now().sec >= deadline
  answer(txn, 'H20')
end, 0)

core.register_action('h12', { 'tcp-res' }, function(txn)
  answer(txn, 'H12')
end, 0)
