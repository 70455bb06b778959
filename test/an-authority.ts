/**
 * Pebble, Let's Encrypt's own ACME server for tests, with a DNS in which every name is this
 * machine's. It asks the router on `httpPort` whether a domain is ours, as the real one would.
 */

import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { get } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { aCertificate } from './a-certificate.ts'
import { freePorts } from './free-ports.ts'
import { until } from './until.ts'

export interface AnAuthority {
  /** URL of its ACME directory. */
  readonly directory: string
  /** A file: who vouches for its own server. */
  readonly trustedFile: string
  readonly trusted: string
  /** Who vouches for the certificates it gives; PEM. */
  root(): Promise<string>
  end(): Promise<void>
}

export async function anAuthority(httpPort: number): Promise<AnAuthority> {
  const directory = await mkdtemp(join(tmpdir(), 'mayfly-authority-'))
  const at = (name: string) => join(directory, name)
  const its = await aCertificate(['localhost'])
  await writeFile(at('cert.pem'), its.certificate)
  await writeFile(at('key.pem'), its.privateKey)
  const [acme = 0, management = 0, dns = 0, dnsManagement = 0] = await freePorts(4)
  await writeFile(
    at('config.json'),
    JSON.stringify({
      pebble: {
        listenAddress: `127.0.0.1:${acme}`,
        managementListenAddress: `127.0.0.1:${management}`,
        certificate: at('cert.pem'),
        privateKey: at('key.pem'),
        httpPort,
        tlsPort: 1,
        ocspResponderURL: '',
        externalAccountBindingRequired: false,
      },
    }),
  )
  const dnsAt = [
    '-dns01',
    `127.0.0.1:${dns}`,
    '-management',
    `127.0.0.1:${dnsManagement}`,
  ]
  const noChallenges = ['-http01', '', '-https01', '', '-tlsalpn01', '']
  const config = ['-config', at('config.json'), '-dnsserver', `127.0.0.1:${dns}`]
  const children = [
    run('pebble-challtestsrv', [...dnsAt, ...noChallenges, '-defaultIPv6', '']),
    run('pebble', [...config, '-strict']),
  ]
  const url = `https://localhost:${acme}/dir`
  const text = (address: string) => textAt(address, its.certificate)
  await until('the authority answers', () =>
    text(url).then(
      () => true,
      () => false,
    ),
  )
  return {
    directory: url,
    trusted: its.certificate,
    trustedFile: at('cert.pem'),
    root: () => text(`https://localhost:${management}/roots/0`),
    async end() {
      await Promise.all(children.map(ended))
      await rm(directory, { recursive: true })
    },
  }
}

function run(program: string, args: readonly string[]): ChildProcess {
  return spawn(program, args, {
    stdio: 'ignore',
    // It waits up to 15 seconds before it asks, as the real one may.
    env: { ...process.env, PEBBLE_VA_NOSLEEP: '1' },
  })
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill()
  await gone
}

function textAt(url: string, ca: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get(url, { ca, agent: false }, (answer) => {
      let text = ''
      answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      answer.on('end', () => resolve(text))
      answer.on('error', reject)
    }).on('error', reject)
  })
}
