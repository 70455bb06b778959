/**
 * What dynos take for the internet: a network namespace with a public address (of those kept
 * for documentation), whose every port that is asked for answers. It has a private one, too.
 */

import { spawn } from 'node:child_process'
import { randomBytes, randomInt } from 'node:crypto'

import { runProgram } from '../../src/lib/run-program.ts'
import { until } from '../until.ts'

export interface Internet {
  /** Somebody out there: listens on 25 and 443. */
  readonly there: string
  /** Somebody of a private network, with the same doors. */
  readonly inside: string
  /** This machine's own address on the way there. */
  readonly here: string
  /** The UDP ports out there that something came to, since the beginning. */
  heard(): ReadonlySet<number>
  close(): Promise<void>
}

/** Where all that is sent comes back. */
const PORTS = [25, 443]
/** Who sends one datagram here gets them without end. */
export const STREAM = 7100
const STREAMER = `use IO::Socket::INET;
  my $it = IO::Socket::INET->new(LocalAddr => $ARGV[0], LocalPort => $ARGV[1], Proto => 'udp');
  $it->recv(my $text, 99);
  while (1) { $it->send('x'); select undef, undef, undef, 0.05 }`
export const UDP_PORTS = [7001, 7002, 7003] as const
const EARS = `use IO::Socket::INET; use IO::Select; $| = 1;
  my $select = IO::Select->new(map { IO::Socket::INET->new(LocalPort => $_, Proto => 'udp') } @ARGV);
  while (my @ready = $select->can_read) {
    for (@ready) { $_->recv(my $text, 99); print $_->sockport, "\\n" }
  }`

export async function anInternet(): Promise<Internet> {
  const name = `mfnet-${randomBytes(3).toString('hex')}`
  const link = name.replace('-', '').slice(0, 14)
  const block = 4 * randomInt(63)
  const [here, there] = [`203.0.113.${block + 1}`, `203.0.113.${block + 2}`]
  const [near, inside] = [`10.251.113.${block + 1}`, `10.251.113.${block + 2}`]
  await runProgram(['ip', 'netns', 'add', name])
  await runProgram(['ip', '-batch', '-'], {
    input: `link add ${link} type veth peer name eth0 netns ${name}
addr add ${here}/30 dev ${link}
addr add ${near}/30 dev ${link}
link set ${link} up
`,
  })
  await runProgram(['ip', '-netns', name, '-batch', '-'], {
    input: `addr add ${there}/30 dev eth0
addr add ${inside}/30 dev eth0
link set eth0 up
link set lo up
`,
  })
  for (const port of PORTS) {
    spawn(
      'ip',
      ['netns', 'exec', name, 'socat', `TCP-LISTEN:${port},fork,reuseaddr`, 'EXEC:cat'],
      {
        stdio: 'ignore',
      },
    )
  }
  // Prints the port of each datagram that comes, whichever it is: no port of these is closed.
  const ears = spawn(
    'ip',
    ['netns', 'exec', name, 'perl', '-e', EARS, ...UDP_PORTS.map(String)],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  spawn('ip', ['netns', 'exec', name, 'perl', '-e', STREAMER, inside, String(STREAM)], {
    stdio: 'ignore',
  })
  let told = ''
  ears.stdout.setEncoding('utf8').on('data', (text: string) => (told += text))
  const close = async () => {
    // What answers a flow that was cut off waits for more of it.
    const theirs = await runProgram(['ip', 'netns', 'pids', name])
    for (const pid of theirs.split('\n').filter(Boolean)) kill(Number(pid))
    await runProgram(['ip', 'netns', 'del', name])
  }
  try {
    await until('all of it listens', async () => {
      const listening = await runProgram(['ip', 'netns', 'exec', name, 'ss', '-Htln'])
      return PORTS.every((port) => listening.includes(`:${port} `))
    })
  } catch (error) {
    await close()
    throw error
  }
  const heard = () => new Set(told.split('\n').filter(Boolean).map(Number))
  return { here, there, inside, heard, close }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended by itself.
  }
}
