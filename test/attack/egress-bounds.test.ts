/** What bounds a dyno's connections to the outside, rule by rule: either alone would let more through. */

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, test } from 'node:test'

import { runProgram } from '../../src/lib/run-program.ts'
import { aLocalRuntime } from '../a-local-runtime.ts'
import { anInternet } from './an-internet.ts'

/** What the firewall lets a dyno begin, and hold. */
const PACE = { each: 400, saved: 2000 }
const HELD = 4096
/** ARP, and what else the kernel says on that link. */
const ASIDE = 20

const { options, outputOf } = await aLocalRuntime()
const internet = await anInternet()
after(() => internet.close())

/** A flow to each port from 10,000 on, as fast as told; says how many seconds that took. */
const flows = (most: number, inOneSecond: number) => `python3 -c "
import socket, time
talker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
began = time.time()
for n in range(${most}):
    ahead = began + n / ${inOneSecond} - time.time()
    if ahead > 0: time.sleep(ahead)
    try: talker.sendto(b'x', ('${internet.there}', 10000 + n))
    except OSError: pass
print(time.time() - began)
"`

test('a dyno begins so many at once, and then at a pace, though it may hold more', async () => {
  const { passed, seconds } = await passing(3900, 1e6)
  assert.ok(passed >= PACE.saved, `${passed} in ${seconds} s`)
  assert.ok(
    passed <= PACE.saved + PACE.each * seconds + ASIDE,
    `${passed} in ${seconds} s`,
  )
})

test('a dyno holds so many, however slowly it began them', async () => {
  // Those that nobody answers are held for longer than it takes to begin as many again.
  const remembered = '/proc/sys/net/netfilter/nf_conntrack_udp_timeout'
  const { passed, seconds } = await passing(7000, 500)
  assert.ok(seconds < Number(readFileSync(remembered, 'utf8')), `${seconds} s`)
  assert.ok(PACE.saved + PACE.each * seconds > HELD + 1000, `${seconds} s`)
  assert.ok(passed >= HELD && passed <= HELD + ASIDE, `${passed} in ${seconds} s`)
})

async function passing(most: number, inOneSecond: number) {
  const to = await runProgram(['ip', '-json', 'route', 'get', internet.there])
  const [{ dev } = { dev: '' }] = JSON.parse(to) as { dev: string }[]
  const sent = () =>
    Number(readFileSync(`/sys/class/net/${dev}/statistics/tx_packets`, 'utf8'))
  const before = sent()
  const seconds = Number(await outputOf(flows(most, inOneSecond)))
  assert.ok(seconds > 0, options.region)
  return { passed: sent() - before, seconds }
}
