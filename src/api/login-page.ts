/** The page on which somebody logs in for a CLI: text from values, and the headers it goes with. */

import { createHash } from 'node:crypto'

import type { BrowserLogin } from '../store/browser-logins.ts'

const STYLE = `
:root { color-scheme: light dark }
body { font: 1rem/1.5 system-ui, sans-serif; margin: 3rem auto; max-width: 26rem; padding: 0 1rem }
label { display: block; font-weight: 600; margin-top: 1rem }
input { box-sizing: border-box; font: inherit; padding: .5rem; width: 100% }
button { font: inherit; margin: 1.5rem .5rem 0 0; padding: .5rem 1rem }
[role=alert] { border-left: .25rem solid #c00; padding-left: .75rem }
`
const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64')

/** No script, nothing from elsewhere, in nobody's frame, and not kept. */
export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  'cache-control': 'no-store',
  'content-security-policy': [
    `default-src 'none'`,
    `style-src 'sha256-${STYLE_HASH}'`,
    `form-action 'self'`,
    `base-uri 'none'`,
    `frame-ancestors 'none'`,
  ].join('; '),
  'content-type': 'text/html; charset=utf-8',
  'cross-origin-opener-policy': 'same-origin',
  // Its own origin must hear where a form comes from; nobody else may hear the address.
  'referrer-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
}

export interface Asking {
  readonly login: BrowserLogin
  /** What the form proves itself with. */
  readonly pageToken: string
  /** What is wrong with what was given. */
  readonly fault?: string | undefined
  readonly email?: string | undefined
}

/** A form while it is open; what came of it, once that is decided. */
export function loginPage(asking: Asking): string {
  const { login } = asking
  switch (login.state) {
    case 'asked':
      return page(
        'Log in to Mayfly',
        whoAsks(login),
        form(asking, passwordFields(asking)),
      )
    case 'password given':
      return page('Two-factor code', whoAsks(login), form(asking, codeField(asking)))
    case 'granted':
      return page(
        'You are logged in',
        `<p>The CLI goes on as ${marked(login.account?.email ?? '')}. You may close this page.</p>`,
      )
    case 'refused':
      return page('Refused', '<p>Nobody was logged in. You may close this page.</p>')
  }
}

/** Where there is nothing to ask. */
export function noticePage(title: string, sentence: string): string {
  return page(title, `<p role="alert">${escaped(sentence)}</p>`)
}

function whoAsks({ description, address }: BrowserLogin): string {
  return `<p>This logs in ${marked(description)}, which asked from the address ${marked(address ?? 'unknown')}.</p>
<p>Do it only if you have just run <code>heroku login</code> there yourself: it will act in your name.</p>`
}

function form({ pageToken, fault }: Asking, fields: string): string {
  return `${fault === undefined ? '' : `<p role="alert">${escaped(fault)}</p>\n`}<form method="post" action="/auth/browser">
<input type="hidden" name="login" value="${escaped(pageToken)}">
${fields}
<button>Log in</button>
<button name="refuse" value="yes" formnovalidate>This was not me</button>
</form>`
}

function passwordFields({ email = '' }: Asking): string {
  const [first, second] = email === '' ? [' autofocus', ''] : ['', ' autofocus']
  return `<label for="email">E-mail address</label>
<input id="email" name="email" type="email" autocomplete="username" maxlength="320" required${first} value="${escaped(email)}">
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required${second}>`
}

function codeField({ login }: Asking): string {
  return `<p>The password of ${marked(login.account?.email ?? '')} is right.</p>
<label for="code">Code of your authenticator, or a recovery code</label>
<input id="code" name="code" autocomplete="one-time-code" autocapitalize="none" spellcheck="false" maxlength="40" required autofocus>`
}

function page(title: string, ...body: readonly string[]): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escaped(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${escaped(title)}</h1>
${body.join('\n')}
</main>
</body>
</html>
`
}

/** What somebody else wrote, apart from our words whatever direction it is written in. */
function marked(text: string): string {
  return `<strong><bdi>${escaped(text)}</bdi></strong>`
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (it) => ENTITIES[it] ?? it)
}
