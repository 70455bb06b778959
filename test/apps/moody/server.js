// Its config var MOOD says how it begins: crash, deaf (never on its port), or sick (never
// well). GET /fall-ill makes the dyno that is asked sick, GET /exit ends it; anything else
// is answered with LINE. With STUBBORN set it does not heed SIGTERM.

const { createServer } = require('node:http')

const { LINE = 'first', MOOD, PORT, STUBBORN } = process.env
let sick = MOOD === 'sick'

if (MOOD === 'crash') process.exit(3)
if (STUBBORN) process.on('SIGTERM', () => console.log('No'))
if (MOOD === 'deaf') setInterval(() => {}, 1000)
else createServer(answer).listen(Number(PORT))

function answer(request, response) {
  if (request.url === '/health' && sick) response.statusCode = 503
  if (request.url === '/fall-ill') sick = true
  if (request.url === '/exit') response.on('finish', () => process.exit(1))
  response.end(`${LINE}\n`)
}
