// Runs Knative's admission without a cluster: reads one manifest per line, runs the defaults and the validation of Knative's
// webhooks for a new object, and prints for each line why they reject it.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"

	eventingduck "knative.dev/eventing/pkg/apis/duck/v1"
	eventing "knative.dev/eventing/pkg/apis/eventing/v1"
	eventingfeature "knative.dev/eventing/pkg/apis/feature"
	"knative.dev/pkg/apis"
	duck "knative.dev/pkg/apis/duck/v1"
	"knative.dev/serving/pkg/apis/config"
	serving "knative.dev/serving/pkg/apis/serving/v1"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

type object interface {
	apis.Defaultable
	apis.Validatable
}

// The Go proxy does not serve the module of Knative's KafkaSource. These are the fields that we emit, with Knative's types and
// their rules. Another test checks the schema of the CRD.
type kafkaSource struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`
	Spec              struct {
		BootstrapServers []string                   `json:"bootstrapServers"`
		Topics           []string                   `json:"topics"`
		ConsumerGroup    string                     `json:"consumerGroup,omitempty"`
		Delivery         *eventingduck.DeliverySpec `json:"delivery,omitempty"`
		duck.SourceSpec  `json:",inline"`
	} `json:"spec"`
}

func (s *kafkaSource) SetDefaults(ctx context.Context) {
	ctx = apis.WithinParent(ctx, s.ObjectMeta)
	s.Spec.Sink.SetDefaults(ctx)
	s.Spec.Delivery.SetDefaults(ctx)
}

func (s *kafkaSource) Validate(ctx context.Context) *apis.FieldError {
	return s.Spec.SourceSpec.Validate(ctx).ViaField("spec").Also(s.Spec.Delivery.Validate(ctx).ViaField("spec.delivery"))
}

var kinds = map[string]func() object{
	"serving.knative.dev/v1/Service":     func() object { return &serving.Service{} },
	"eventing.knative.dev/v1/Broker":     func() object { return &eventing.Broker{} },
	"eventing.knative.dev/v1/Trigger":    func() object { return &eventing.Trigger{} },
	"sources.knative.dev/v1/KafkaSource": func() object { return &kafkaSource{} },
}

type answer struct {
	Kind    string `json:"kind"`
	Name    string `json:"name"`
	Refused string `json:"refused,omitempty"`
	Warned  string `json:"warned,omitempty"`
}

func judge(ctx context.Context, line []byte) (answer, error) {
	var head struct {
		APIVersion string            `json:"apiVersion"`
		Kind       string            `json:"kind"`
		Metadata   metav1.ObjectMeta `json:"metadata"`
	}
	if err := json.Unmarshal(line, &head); err != nil {
		return answer{}, err
	}
	make, known := kinds[head.APIVersion+"/"+head.Kind]
	if !known {
		return answer{}, fmt.Errorf("no admission known for %s %s", head.APIVersion, head.Kind)
	}
	said := answer{Kind: head.Kind, Name: head.Metadata.Name}
	it := make()
	// Knative's webhooks reject unknown fields.
	decoder := json.NewDecoder(bytes.NewReader(line))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(it); err != nil {
		said.Refused = err.Error()
		return said, nil
	}
	ctx = apis.WithinCreate(ctx)
	it.SetDefaults(ctx)
	if err := it.Validate(ctx); err != nil {
		said.Refused = err.Filter(apis.ErrorLevel).Error()
		said.Warned = err.Filter(apis.WarningLevel).Error()
	}
	return said, nil
}

func main() {
	// The defaults of a cluster without configuration.
	features, err := eventingfeature.NewFlagsConfigFromMap(map[string]string{})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	ctx := eventingfeature.ToContext(context.Background(), features)
	knative := config.FromContextOrDefaults(ctx)
	for _, flag := range os.Args[1:] {
		if flag == "--init-containers" {
			knative.Features.PodSpecInitContainers = config.Enabled
		}
	}
	ctx = config.ToContext(ctx, knative)

	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 64<<20)
	out := json.NewEncoder(os.Stdout)
	for in.Scan() {
		said, err := judge(ctx, in.Bytes())
		if err == nil {
			err = out.Encode(said)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
	}
	if err := in.Err(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
}
