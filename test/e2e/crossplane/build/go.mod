module tools.test/build

go 1.26.0

require (
	github.com/fluxcd/source-controller v1.9.6
	github.com/shipwright-io/build v0.20.13
)
