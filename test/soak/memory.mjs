// Loaded into the function before its own code: says, whenever it is asked, what memory is left once all garbage is gone.
process.on('message', () => {
  globalThis.gc()
  process.send(process.memoryUsage())
})
// It is no reason to live on.
process.channel.unref()
