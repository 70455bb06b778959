const { WebSocketServer } = require('ws')

const server = new WebSocketServer({ port: Number(process.env.PORT) })
server.on('connection', (socket) => {
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }))
})
process.on('SIGTERM', () => {
  for (const socket of server.clients) socket.close(1001)
  server.close(() => process.exit(0))
})
