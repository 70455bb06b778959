const { createServer } = require('node:http')

createServer((request, response) => response.end('still here\n')).listen(
  Number(process.env.PORT),
)
process.on('SIGTERM', () => console.log('I would rather stay'))
