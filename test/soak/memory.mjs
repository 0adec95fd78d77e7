// Loaded into the function before its own code: answers each message with the memory after a full garbage collection.
process.on('message', () => {
  globalThis.gc()
  process.send(process.memoryUsage())
})
// The channel must not keep the process alive.
process.channel.unref()
