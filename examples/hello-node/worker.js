// A process that nobody sends requests to: it says now and then that it is there.

const tick = setInterval(() => console.log('Still working'), 60_000)
console.log('At work')

process.on('SIGTERM', () => clearInterval(tick))
