/**
 * The answers the router gives itself: what the client sees, plain and readable anywhere. HAProxy
 * takes them for its log formats: `%[…]` is its to fill in, and a `%` of its own is doubled. Where
 * an app has a page of its own, that lies over ours.
 */

const READ_THE_LOG =
  'If you own it, its log has the details: <code>heroku logs --tail</code>'

export interface Page {
  readonly status: number
  readonly html: string
}

/** In place of an answer that HAProxy itself gives up on (H13, H17, H21, …). */
export const APPLICATION_ERROR: Page = {
  status: 503,
  html: document('Application error', [
    'An error occurred in the application and your page could not be served.',
    'If you own this application, its log has the details: <code>heroku logs --tail</code>',
  ]),
}

export const NO_SUCH_APP: Page = {
  status: 404,
  html: document('No such app', [
    'There is no app at this address.',
    'If an app of yours is to have it: <code>heroku domains:add</code>',
  ]),
}

/** Of requests that are refused, by status. What HAProxy cannot read at all it answers by words of its own. */
export const REFUSED: readonly Page[] = [
  {
    status: 400,
    html: document('Bad request', [
      'This request breaks the rules of HTTP, or is too long, and was not passed on.',
    ]),
  },
  {
    status: 405,
    html: document('Method not allowed', ['Requests of this method are not passed on.']),
  },
  {
    status: 408,
    html: document('Request timeout', ['The body of this request did not come in time.']),
  },
]

/** By the app's state in the map of hosts, or the H code found on the way. */
export const PAGES: Readonly<Record<string, Page>> = {
  H10: errorPage('H10', 'This application crashed.'),
  H11: errorPage('H11', 'Too many requests for this application wait or are under way.'),
  H12: errorPage('H12', 'This application took too long to answer.'),
  H14: errorPage(
    'H14',
    'This application runs no web process.',
    'If you own it, start one: <code>heroku ps:scale web=1</code>',
  ),
  H20: errorPage('H20', 'This application did not start in time.'),
  H34: errorPage('H34', 'None of this application’s web processes can be reached.'),
  H80: {
    status: 503,
    html: document('Offline for maintenance', [
      'This application is undergoing maintenance right now. Please check back later.',
      'If you own it and are done: <code>heroku maintenance:off</code>',
    ]),
  },
  H81: {
    status: 502,
    html: document('There’s nothing here, yet', [
      'Nothing was deployed to this app so far.',
      'If you own it: <code>git push heroku main</code>',
    ]),
  },
}

/** Of an app in another region. */
export const MISDIRECTED: Page = {
  status: 421,
  html: document('This app is elsewhere', [
    'It answers at <a href="%[var(txn.address)]">%[var(txn.address)]</a>.',
  ]),
}

function errorPage(code: string, sentence: string, advice = READ_THE_LOG): Page {
  return {
    status: 503,
    html: document('Application error', [`${sentence} (${code})`, advice]),
  }
}

function document(title: string, paragraphs: readonly string[]): string {
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>
body { font: 1.1em/1.5 sans-serif; max-width: 36em; margin: 15vh auto; padding: 0 1em }
iframe { position: fixed; inset: 0; width: 100%%; height: 100%%; border: 0; background: #fff }
iframe[src=""] { display: none }
</style>
</head>
<body>
<main>
<h1>${title}</h1>
${paragraphs.map((it) => `<p>${it}</p>`).join('\n')}
</main>
<iframe title="${title}" src="%[var(txn.page)]"></iframe>
</body>
</html>
`
}
