/** Logging in, by the genuine CLI at a terminal and a real browser. */

import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { after, before, suite, test } from 'node:test'

import { systemClock } from '../../src/lib/clock.ts'
import { stepAt, totpOf } from '../../src/model/totp.ts'
import { aBrowser, type ABrowser } from '../a-browser.ts'
import { aTerminal, type ATerminal } from '../a-terminal.ts'
import { anInstallation, type Ran } from '../an-installation.ts'
import { unbase32 } from '../unbase32.ts'

const bin = join(import.meta.dirname, '../../node_modules/.bin')
const cli = join(bin, 'heroku')
const EMAIL = 'ann@example.com'
const PASSWORD = 'correct horse battery'

const installation = anInstallation({ regions: ['us'] })
const home = join(installation.home, 'ann')

suite('logging in', () => {
  let browser: ABrowser
  let ann: NodeJS.ProcessEnv
  let recoveryCodes: string[] = []

  before(async () => {
    mkdirSync(home)
    // As `./mayfly env` says, but nobody's token; a program that opens no browser is hers.
    const { HEROKU_API_KEY: _, PATH, ...env } = installation.env
    ann = { ...env, HOME: home, PATH: [bin, PATH].join(delimiter), BROWSER: 'true' }
    const made = await installation.mayfly('account:create', EMAIL)
    assert.equal(made.status, 0, made.stderr)
    browser = await aBrowser()
  })
  after(() => browser.close())

  function terminal(...args: readonly string[]): ATerminal {
    return aTerminal([cli, ...args], { cwd: home, env: ann })
  }

  function heroku(...args: readonly string[]): Promise<Ran> {
    return installation.run([cli, ...args], { cwd: home, env: ann })
  }

  async function logsInWith(password: string, code?: string): Promise<ATerminal> {
    const session = terminal('login', '--interactive')
    await session.sees(/Email/)
    session.types(`${EMAIL}\r`)
    await session.sees(/Password/)
    session.types(`${password}\r`)
    if (code !== undefined) {
      await session.sees(/Two-factor code/)
      session.types(`${code}\r`)
    }
    return session
  }

  /** Up to where the page is open. */
  async function opensPage(): Promise<ATerminal> {
    const session = terminal('login')
    await session.sees(/Press any key/)
    session.types(' ')
    await session.sees(/Waiting for login/)
    const [url = ''] =
      /http:\S+\/auth\/browser\?login=[0-9a-f]+/.exec(session.seen()) ?? []
    await browser.open(url)
    return session
  }

  test('the operator gives a password at a terminal, which does not show it', async () => {
    const { home: cwd } = installation
    const command = installation.mayflyCommand('account:password', EMAIL)
    const cancelled = aTerminal(command, { cwd, env: process.env })
    await cancelled.sees(/New password/)
    cancelled.types('never mind\u0003')
    assert.equal(await cancelled.ended, 1)
    assert.match(cancelled.seen(), /No password was given/)
    const session = aTerminal(command, { cwd, env: process.env })
    await session.sees(/New password of ann@example\.com: /)
    session.types(`${PASSWORD}\r`)
    await session.sees(/Once more: /)
    session.types(`${PASSWORD}\r`)
    assert.equal(await session.ended, 0)
    assert.ok(!session.seen().includes(PASSWORD))
    const short = await installation.run(command, { env: process.env, input: 'short\n' })
    assert.equal(short.status, 1)
    assert.match(short.stderr, /minimum is 12/)
  })

  test('login -i takes it, and git, too, knows who she is', async () => {
    const session = await logsInWith(PASSWORD)
    assert.equal(await session.ended, 0, session.seen())
    assert.match(session.seen(), /Logged in as ann@example\.com/)
    assert.ok(!session.seen().includes(PASSWORD))

    const created = await heroku('create', 'her-app')
    assert.equal(created.status, 0, created.stderr)
    const url = `https://${ann['HEROKU_GIT_HOST']}/her-app.git`
    const listed = await installation.run(['git', 'ls-remote', url], {
      env: { ...ann, GIT_TERMINAL_PROMPT: '0' },
    })
    assert.equal(listed.status, 0, listed.stderr)
  })

  test('with a second factor it asks for a code', async () => {
    const made = await installation.mayfly('account:two-factor', EMAIL)
    const [url = '', ...codes] = made.stdout.trim().split('\n')
    recoveryCodes = codes
    const secret = unbase32(new URL(url).searchParams.get('secret') ?? '')
    const session = await logsInWith(PASSWORD, totpOf(secret, stepAt(systemClock.now())))
    assert.equal(await session.ended, 0, session.seen())
    assert.match((await heroku('auth:2fa')).stdout, /authentication is enabled/)
  })

  test('logout revokes what login made', async () => {
    const token = (await heroku('auth:token')).stdout.trim()
    const account = () =>
      fetch(`${installation.apiUrl}/account`, {
        headers: {
          accept: 'application/vnd.heroku+json; version=3',
          authorization: `Bearer ${token}`,
        },
      })
    assert.equal((await account()).status, 200)
    const left = await heroku('auth:logout')
    assert.equal(left.status, 0, left.stderr)
    assert.equal((await account()).status, 401)
    assert.equal((await heroku('auth:whoami')).status, 100)
  })

  test('a browser logs her in, with no script of any page', async () => {
    const session = await opensPage()
    await browser.sees(/Heroku CLI login from/)
    // The page's own style is one that its headers allow.
    assert.equal(
      await browser.evaluate('getComputedStyle(document.body).maxWidth'),
      await browser.evaluate(
        '`${26 * parseFloat(getComputedStyle(document.documentElement).fontSize)}px`',
      ),
    )
    await browser.fills({ 'E-mail address': EMAIL, Password: 'wrong horse battery' })
    await browser.sees(/do not go together/)
    await browser.fills({ Password: PASSWORD })
    await browser.sees(/Two-factor code/)
    const [label = ''] = /^Code of .*$/m.exec(await browser.text()) ?? []
    await browser.fills({ [label]: recoveryCodes[0] ?? '' })
    await browser.sees(/You are logged in/)
    assert.equal(await session.ended, 0, session.seen())
    assert.match(session.seen(), /Logged in as ann@example\.com/)
    assert.match((await heroku('auth:whoami')).stdout, /ann@example\.com/)
  })

  test('a login may be refused there', async () => {
    const session = await opensPage()
    await browser.sees(/This was not me/)
    await browser.clicks('This was not me')
    await browser.sees(/Nobody was logged in/)
    assert.notEqual(await session.ended, 0)
    assert.match(session.seen(), /refused on the page/)
  })

  test('all of it is in the audit log, and account:revoke ends it', async () => {
    const { stdout } = await installation.mayfly('audit', '--account', EMAIL)
    for (const line of [
      /POST \/oauth\/authorizations .*login=password 201/,
      /POST \/oauth\/authorizations login=code missing 403/,
      /POST \/oauth\/authorizations .*login=code 201/,
      /POST \/auth\/browser login=wrong password 401/,
      /POST \/auth\/browser login=recovery code 200/,
      /@localhost - RUN mayfly account:password account=ann@example\.com 200/,
    ]) {
      assert.match(stdout, line)
    }
    const { stdout: said } = await installation.mayfly('account:revoke', EMAIL)
    assert.match(said, /tokens of ann@example\.com are revoked, and so is the password/)
    assert.match((await heroku('auth:whoami')).stderr, /Invalid credentials/)
  })
})
