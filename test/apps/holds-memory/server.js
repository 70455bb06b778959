// GET /hold/100 takes 100 megabytes and keeps them; /child starts a process that takes ever
// more until it is ended, which this one survives; anything else is answered.

const { spawn } = require('node:child_process')
const { createServer } = require('node:http')

const MEGABYTE = 1024 ** 2
const held = []
const eat = `const eaten = []; setInterval(() => eaten.push(Buffer.alloc(16 * ${MEGABYTE}, 1)), 5)`

createServer((request, response) => {
  const megabytes = Number(/^\/hold\/(\d+)$/.exec(request.url)?.[1] ?? 0)
  // Filled, or the kernel would only promise it.
  if (megabytes > 0) held.push(Buffer.alloc(megabytes * MEGABYTE, 1))
  if (request.url === '/child') {
    spawn(process.execPath, ['-e', eat]).on('exit', (_, signal) =>
      console.log(`my child was ended by ${signal}`),
    )
  }
  response.end('ok\n')
}).listen(Number(process.env.PORT))
