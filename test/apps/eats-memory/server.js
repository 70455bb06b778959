// GET /eat takes memory until there is none; anything else is answered.

const { createServer } = require('node:http')

const MEGABYTE = 1024 ** 2
const eaten = []

createServer((request, response) => {
  response.end('ok\n')
  if (request.url === '/eat') setInterval(eat, 10)
}).listen(Number(process.env.PORT))

function eat() {
  // Filled, or the kernel would only promise it.
  eaten.push(Buffer.alloc(16 * MEGABYTE, 1))
}
