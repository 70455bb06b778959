-- What HAProxy's own rules cannot do: hold a request while its app starts, wake the app first if it
-- sleeps, give a short body a moment to come, and answer a request to which its dyno has no answer.
-- The configuration sets these variables.

local hosts = Map.new(os.getenv('HOSTS_MAP'), Map._str)
local hold_for = tonumber(os.getenv('HOLD')) -- milliseconds
local most_held = tonumber(os.getenv('MOST_HELD'))
local wake_socket = os.getenv('WAKE_SOCKET')
local first_byte = tonumber(os.getenv('FIRST_BYTE')) -- milliseconds

-- A held request sees every 20 milliseconds whether it may go on, which costs 3 to 5 microseconds. So many of an app do
-- together, and where there are more they take turns: all that it may have held go within 50 milliseconds of its first
-- dyno's being up. Of all apps together each thread looks at so many, of which each app has its share.
local POLL = 20 -- milliseconds
local OF_APP = 250
local OF_ALL_BY_THREAD = 400
local BODY_FOLLOWS_WITHIN = 50 -- milliseconds
-- Between two clocks that measure the same time, of which HAProxy's own goes by whole milliseconds. Milliseconds.
local LEEWAY = 10

local function page(code)
  local file = assert(io.open(os.getenv('PAGES') .. '/' .. code .. '.html', 'rb'))
  local body = file:read('a')
  file:close()
  return body
end

local h12 = page('H12')
local application_error = page('application-error')

-- As HAProxy fills in what stands in a page.
local function filled(text, url)
  return (text:gsub('%%%[var%(txn%.page%)%]', function() return url end):gsub('%%%%', '%%'))
end

local function now()
  local it = core.now()
  return it.sec * 1000 + it.usec / 1000
end

-- Of this thread: the apps that have held requests, with the last turn that one has, how many of them there
-- were in the past second and are in the present one, and those whose sleep it spoke of in that.
local turns, before, apps = {}, 0, 0
local told, second = {}, 0

local function begin_second(time)
  local present = time // 1000
  if present == second then
    return
  end
  second, told, before, apps = present, {}, apps, 0
  for app, turn in pairs(turns) do
    if turn < time then
      turns[app] = nil
    else
      apps = apps + 1
    end
  end
end

-- Requests of the app that are held, whichever thread they are on: see `HELD` in hold-rules.ts.
local function waiting(txn)
  return txn.f:sc0_conn_cur() - txn.c:table_conn_cur(txn:get_var('txn.waits'), 'let_go')
end

local threads

-- When this request of the app is to look again; its place among those that take turns is any number, the same each time.
-- Nothing is to be given back where its client leaves. Many wake up together: to wake up for each by itself costs a thread
-- more than all that they do.
local function next_turn(txn, app, place, time)
  begin_second(time)
  threads = threads or tonumber(core.get_info().Nbthread)
  if not turns[app] then
    turns[app] = 0
    apps = apps + 1
  end
  local of_app = math.min(OF_APP, OF_ALL_BY_THREAD * threads / math.max(before, apps))
  local tick = time // POLL + 1
  local turn = (tick + (place - tick) % math.max(1, math.ceil(waiting(txn) / of_app))) * POLL
  turns[app] = math.max(turns[app], turn)
  return turn
end

-- Tells the region's manager that someone asks for the app, in a task of its own: nobody
-- waits for it. Until the app is awake it is told again, in case no manager heard.
local function wake(app, time)
  begin_second(time)
  if told[app] then
    return
  end
  told[app] = true
  core.register_task(function()
    local socket = core.tcp()
    socket:settimeout(1)
    if socket:connect(wake_socket) then
      socket:send(app .. '\n')
    end
    socket:close()
  end)
end

local function parse(entry)
  return entry:match('^([^/]*)/([^/]*)/[^/]*/([^/]*)/?([^/]*)')
end

-- Ends when the app's backend has a server, or the app another state, which it notes, or
-- when this worker has a successor, which goes on holding.
local function hold(txn)
  local name = txn.c:lower(txn.c:host_only(txn:get_var('txn.host'))):gsub('%.$', '')
  local entry = txn:get_var('txn.entry')
  local backend, state, app, most = parse(entry)
  local time = now()
  local deadline = time + hold_for
  local place = math.random(1 << 30)
  -- In a worker that has a successor all requests come here, and the successor decides.
  if txn.f:stopping() == 0 and waiting(txn) > math.min(tonumber(most) or most_held, most_held) then
    txn:set_var('txn.entry', 'no_server/H11//' .. app)
    return
  end
  while txn.f:stopping() == 0 do
    if state == 'idle' then
      wake(app, time)
    end
    core.msleep(math.ceil(math.min(next_turn(txn, app, place, time), deadline) - time))
    time = now()
    -- The name may lead elsewhere by now.
    local known = entry
    entry = hosts:lookup(name) or hosts:lookup((name:gsub('^[^.]*', '*')))
    if not entry then
      -- Or nowhere: its app has another name, or is no more.
      txn:unset_var('txn.entry')
      return
    end
    if not entry:find('^no_server/') then
      if entry ~= known then
        backend, state, app = parse(entry)
      end
      if txn.f:nbsrv(backend) > 0 then
        txn:set_var('txn.entry', entry)
        return
      end
      if time >= deadline then
        -- Dynos that are up and still cannot be reached are quarantined.
        entry = 'no_server/' .. (state == 'up' and 'H34//' or 'H20//') .. app
      end
    end
    if entry:find('^no_server/') then
      txn:set_var('txn.entry', entry)
      return
    end
  end
end

-- When the client leaves HAProxy goes on to the next rule, without a word to `hold`: then the code stays.
core.register_action('hold', { 'http-req' }, function(txn)
  txn:set_var('txn.code', 'H27')
  hold(txn)
  txn:unset_var('txn.code')
end, 0)

-- Ends when the body is there as a whole, or after a moment.
core.register_action('body', { 'http-req' }, function(txn)
  for _ = 1, BODY_FOLLOWS_WITHIN do
    if txn.f:req_body_len() >= txn:get_var('txn.length') then
      return
    end
    core.msleep(1)
  end
end, 0)

-- Of an app that wants another time to the first byte: milliseconds, or nil.
local function own_time(txn)
  return tonumber((txn:get_var('txn.entry') or ''):match('^[^/]*/[^/]*/[^/]*/[^/]*/[^/]*/(%d+)'))
end

-- Since its dyno was asked, in milliseconds. A plain request of HTTP/1 is sent as it comes: its id begins with the time, in
-- steps of 16 microseconds, of which nineteen hours have as many as there are numbers of 32 bits.
local function time_waited(txn)
  local sent = txn:get_var('txn.sent')
  if sent then
    return txn.f:date(0, 'ms') - sent
  end
  local came = tonumber(txn:get_var('txn.id'):sub(1, 8), 16)
  return (((txn.f:date(0, 'us') >> 4) - came) & 0xffffffff) * 16 // 1000
end

local function give_up(txn, code, text)
  txn:set_var('txn.code', code)
  local reply = txn:reply({ status = 503 })
  reply:add_header('content-type', 'text/html; charset=utf-8')
  reply:add_header('cache-control', 'no-cache, no-store')
  reply:set_body(filled(text, txn:get_var('txn.page') or ''))
  txn:done(reply)
end

-- Comes when the wait is over, when the dyno hung up without an answer, and when it speaks no HTTP, which
-- HAProxy sees by itself. It would see a dyno that hung up, too, and keep that to itself on any but a
-- connection's first request, and in all of HTTP/2: the client would get nothing, and the log no line.
-- Where `txn.body` is set, HAProxy's own clock says when it was too long. `give_up` raises: nothing runs after.
core.register_action('no_answer', { 'tcp-res' }, function(txn)
  -- There is one, with a status that is none of HTTP's.
  if txn.f:status() then
    give_up(txn, 'H17', application_error)
  end
  local waited = time_waited(txn)
  local its_own_clock = txn:get_var('txn.body')
  if not txn.res:may_recv() then
    -- HAProxy hung up on it for a client that left. (The one may not receive, too, while it has its fill.)
    if not txn.req:may_recv() and not txn.req:is_full() then
      return
    end
    -- That clock hangs up on the dyno before this is asked.
    if its_own_clock and waited > (own_time(txn) or first_byte) - LEEWAY then
      return
    end
    -- HAProxy keeps a head that is not whole to itself: what stands here is a whole one, with a body that is none.
    give_up(txn, txn.f:res_len() > 0 and 'H17' or 'H13', application_error)
  end
  if waited >= first_byte - LEEWAY and not its_own_clock then
    give_up(txn, 'H12', h12)
  end
end, 0)
