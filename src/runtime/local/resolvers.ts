/** The name servers that this machine asks. */

import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { rename, writeFile } from 'node:fs/promises'
import { isIP, isIPv4 } from 'node:net'
import { dirname } from 'node:path'

import { NOTHING_ALLOWED } from '../../model/allowances.ts'
import type { LocalRegion } from './region.ts'
import { resolverConfig } from './resolver-config.ts'

export const RESOLV_CONF = '/etc/resolv.conf'
const SYSTEMD_RESOLVED = '/run/systemd/resolve/resolv.conf'
const MOST = 3

/** Of a `resolv.conf`: their addresses. The machine's `search` is its own affair: it tells where the machine stands. */
export function resolversIn(text: string): string[] {
  return text
    .split('\n')
    .map((line) => /^\s*nameserver\s+(\S+)/.exec(line)?.[1] ?? '')
    .filter((address) => isIP(address) !== 0)
    .slice(0, MOST)
}

/** IPv4, and beyond this machine: of a local stub, whom it asks itself. */
export function presentResolvers(): string[] {
  const own = beyondIn(RESOLV_CONF)
  return own.length > 0 ? own : beyondIn(SYSTEMD_RESOLVED)
}

function beyondIn(file: string): string[] {
  return resolversIn(textOf(file)).filter(
    (address) => isIPv4(address) && !address.startsWith('127.'),
  )
}

/** For dynos: they know their region's resolver and no other. It may be a moment away, so they soon ask again. */
export function dynoResolvConf(gateway: string): string {
  return `nameserver ${gateway}\noptions timeout:2 attempts:5\n`
}

/**
 * Writes what the region's resolver reads, where it is another than before. By itself dnsmasq does
 * not see that /etc/resolv.conf is a link to another file now, or was changed below a mount: so it
 * has a copy to follow. It follows that file itself, too, for nobody may be here to copy it.
 */
export async function putUpResolver(region: LocalRegion): Promise<void> {
  const { config, nameServers } = region.files.resolver
  const followed = region.resolvConf ?? RESOLV_CONF
  const servers = resolversIn(textOf(followed)).map((it) => `nameserver ${it}\n`)
  // Of a file that is just being written, nothing may be there yet.
  if (servers.length > 0) await writeIfOther(nameServers, servers.join(''))
  const text = resolverConfig({
    gateway: region.network.subnet.gateway,
    follows: [...(mayBeWatched(followed) ? [followed] : []), nameServers],
    allowances: region.allowances?.() ?? NOTHING_ALLOWED,
  })
  await writeIfOther(config, text)
}

/** dnsmasq watches the directory, and ends where it may not. */
function mayBeWatched(file: string): boolean {
  try {
    return (statSync(dirname(realpathSync(file))).mode & 0o005) === 0o005
  } catch {
    return false
  }
}

/** Whoever reads it finds one or the other, whole. */
async function writeIfOther(file: string, text: string): Promise<void> {
  if (existsSync(file) && textOf(file) === text) return
  await writeFile(`${file}.new`, text, { mode: 0o644 })
  await rename(`${file}.new`, file)
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
