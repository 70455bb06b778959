-- What HAProxy's own rules cannot do: hold a request while its app starts, and answer
-- one whose dyno stays silent. The configuration sets these variables.

local hosts = Map.new(os.getenv('HOSTS_MAP'), Map._str)
local pages = os.getenv('PAGES')
local hold_seconds = tonumber(os.getenv('HOLD_SECONDS'))

local POLL = 20 -- milliseconds

local function page(code)
  local file = assert(io.open(pages .. '/' .. code .. '.html', 'rb'))
  local body = file:read('a')
  file:close()
  return body
end

local timed_out = page('H12')

-- Ends when the app's backend has a server, or its state is one that gets a page; the
-- rules after this one go by txn.state.
core.register_action('hold', { 'http-req' }, function(txn)
  local name = txn:get_var('txn.name')
  local backend = txn:get_var('txn.backend')
  local deadline = core.now().sec + hold_seconds
  repeat
    core.msleep(POLL)
    local entry = hosts:lookup(name)
    local state = entry and entry:match('^[^,]*,([^,]*)')
    if state ~= 'up' and state ~= 'starting' then
      txn:set_var('txn.state', state or 'H99')
      return
    end
    if txn.f:nbsrv(backend) > 0 then
      return
    end
  until core.now().sec >= deadline
  txn:set_var('txn.state', 'H20')
end, 0)

core.register_action('h12', { 'tcp-res' }, function(txn)
  txn:set_var('txn.state', 'H12')
  local reply = txn:reply({ status = 503, reason = 'Service Unavailable' })
  reply:add_header('content-type', 'text/html; charset=utf-8')
  reply:add_header('cache-control', 'no-cache, no-store')
  reply:add_header('server', 'Heroku')
  reply:set_body(timed_out)
  txn:done(reply)
end, 0)
