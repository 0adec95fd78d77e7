module tools.test/grafana

go 1.26.0

require github.com/grafana/grafana-operator/v5 v5.21.4
