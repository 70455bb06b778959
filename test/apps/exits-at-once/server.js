console.log('Not today')
process.exit(3)
