-- What HAProxy's own rules cannot do: hold a request while its app starts, and answer
-- one whose dyno stays silent. The configuration sets these variables.

local hosts = Map.new(os.getenv('HOSTS_MAP'), Map._str)
local hold_seconds = tonumber(os.getenv('HOLD_SECONDS'))

local POLL = 20 -- milliseconds

local function page(code)
  local file = assert(io.open(os.getenv('PAGES') .. '/' .. code .. '.html', 'rb'))
  local body = file:read('a')
  file:close()
  return body
end

local h12 = page('H12')

-- Ends when the app's backend has a server, or the app another state, which it notes, or
-- when this worker has a successor, which goes on holding.
core.register_action('hold', { 'http-req' }, function(txn)
  local name = txn.c:lower(txn.c:host_only(txn:get_var('txn.host')))
  local entry = txn:get_var('txn.entry')
  local backend, app = entry:match('^([^/]*)/[^/]*/(.*)$')
  local deadline = core.now().sec + hold_seconds
  while txn.f:stopping() == 0 do
    core.msleep(POLL)
    if txn.f:nbsrv(backend) > 0 then
      return
    end
    entry = hosts:lookup(name) or 'no_server/H99/' .. app
    if core.now().sec >= deadline then
      entry = 'no_server/H20/' .. app
    end
    if entry:find('^no_server/') then
      txn:set_var('txn.entry', entry)
      return
    end
  end
end, 0)

-- Raises to end the transaction: nothing after it runs.
core.register_action('h12', { 'tcp-res' }, function(txn)
  txn:set_var('txn.code', 'H12')
  local reply = txn:reply({ status = 503 })
  reply:add_header('content-type', 'text/html; charset=utf-8')
  reply:add_header('cache-control', 'no-cache, no-store')
  reply:set_body(h12)
  txn:done(reply)
end, 0)
