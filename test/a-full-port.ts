import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { TestContext } from 'node:test'

/** A port that takes no connection, and refuses none: its queue is full. */
export async function aFullPort(
  t: TestContext,
  address: string,
): Promise<{ address: string; port: number }> {
  const script = `use Socket; use IO::Handle; $| = 1;
    my $address = inet_aton($ARGV[0]);
    socket my $server, PF_INET, SOCK_STREAM, 0;
    bind $server, sockaddr_in(0, $address);
    listen $server, 0;
    my ($port) = sockaddr_in(getsockname $server);
    for (1 .. 3) {
      socket $clients[$_], PF_INET, SOCK_STREAM, 0;
      $clients[$_]->blocking(0);
      connect $clients[$_], sockaddr_in($port, $address);
    }
    print "$port\\n";
    sleep;`
  const perl = spawn('perl', ['-e', script, address], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.after(() => perl.kill())
  const [port] = (await once(perl.stdout, 'data')) as [Buffer]
  return { address, port: Number(port) }
}
