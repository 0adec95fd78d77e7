const exported = { handler: () => undefined, concurrency: 2 }
module.exports = exported
