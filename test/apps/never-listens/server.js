// Alive and busy, but never on its port.
setInterval(() => {}, 1000)
console.log('Any moment now')
process.on('SIGTERM', () => process.exit(0))
