import { existsSync, readFileSync, rmSync } from 'node:fs'

import { place } from '../../src/installation/make-certificate.ts'
import { openInstallation } from '../../src/installation/open-installation.ts'
import { Refusal } from '../../src/installation/refusal.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { covers, readCertificate } from '../../src/model/certificate.ts'
import { dataNamed, dataOption, parsed } from './arguments.ts'
import { auditCommand } from './audit-command.ts'
import { withDatabase } from './with-database.ts'

/**
 * The operator's own certificate for the apps' domain. The routers take it, or are without
 * it, within seconds.
 */
export async function domainCertificate(args: string[]): Promise<void> {
  const { values, positionals } = parsed({
    args,
    options: { ...dataOption, remove: { type: 'boolean' } },
    allowPositionals: true,
  })
  const data = dataNamed(values.data)
  const { domain } = openInstallation(data)
  // It can be done before there is a database.
  const told = (command: string) =>
    withDatabase(values.data, (pool) => auditCommand(pool, command, { domain })).catch(
      (error: unknown) =>
        console.error(
          `mayfly: this is not in the audit log: ${(error as Error).message}`,
        ),
    )
  if (values.remove) {
    if (positionals.length > 0) throw new Refusal('--remove takes no files.', 2)
    rmSync(data.keys.domain, { force: true })
    await told('domain:certificate --remove')
    console.log(`Apps below ${domain} have certificates of this installation's again.`)
    return
  }
  const [chain, key] = positionals
  if (chain === undefined || key === undefined || positionals.length > 2) {
    const files = 'the certificate chain and the private key'
    throw new Refusal(`This takes two files: ${files}; or --remove.`, 2)
  }
  const certificate = readCertificate(textIn(chain), textIn(key), systemClock.now())
  if ('fault' in certificate) throw new Refusal(certificate.fault)
  if (!covers(certificate.chain, `*.${domain}`)) {
    throw new Refusal(`The certificate is not for *.${domain}.`)
  }
  const text = `${certificate.chain}${certificate.privateKey}`
  place(data.keys.domain, text, { mode: 0o600, owner: 0 })
  await told('domain:certificate')
  const until = certificate.expiresAt.toISOString()
  console.log(
    `Apps below ${domain} have this certificate, which is valid until ${until}.`,
  )
}

function textIn(file: string): string {
  if (!existsSync(file)) throw new Refusal(`There is no ${file}.`)
  return readFileSync(file, 'utf8')
}
