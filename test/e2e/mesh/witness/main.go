// Istio's own code as a witness of what we render. Reads one JSON document per line and prints one answer per line.
//
//	witness judge CRD-FILE…   a list of manifests -> why the schema and CEL of its CRD, and istiod's validation, refuse each
//	witness analyze           a list of manifests -> the messages of all analyzers
//	witness translate         {manifests, mesh, proxies} -> the Envoy configuration that istiod sends to each proxy
//	witness istiod ARGUMENT…  pilot-discovery itself
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"istio.io/istio/pilot/cmd/pilot-discovery/app"
	"istio.io/istio/pilot/pkg/config/kube/crd"
	"istio.io/istio/pilot/pkg/model"
	"istio.io/istio/pilot/test/xds"
	"istio.io/istio/pkg/config"
	"istio.io/istio/pkg/config/analysis/analyzers"
	"istio.io/istio/pkg/config/analysis/local"
	crdvalidation "istio.io/istio/pkg/config/crd"
	"istio.io/istio/pkg/config/mesh"
	"istio.io/istio/pkg/config/resource"
	"istio.io/istio/pkg/config/schema/collections"
	"istio.io/istio/pkg/config/schema/gvr"
	"istio.io/istio/pkg/kube"
	"istio.io/istio/pkg/kube/kclient/clienttest"
	"istio.io/istio/pkg/log"
	"istio.io/istio/pkg/test"
)

func main() {
	if len(os.Args) < 2 {
		fail(errors.New("usage: witness judge|analyze|translate|istiod"))
	}
	arguments := os.Args[2:]
	if os.Args[1] == "istiod" {
		command := app.NewRootCommand()
		command.SetArgs(arguments)
		if command.Execute() != nil {
			os.Exit(1)
		}
		return
	}
	quiet := log.DefaultOptions()
	quiet.SetDefaultOutputLevel("all", log.ErrorLevel)
	quiet.OutputPaths = []string{"stderr"}
	fail(log.Configure(quiet))
	switch os.Args[1] {
	case "judge":
		schemas := must(crdvalidation.NewValidatorFromFilesWithOptions(arguments, crdvalidation.WithoutCRDValidation()))
		answer(func(manifests []*unstructured.Unstructured) any { return judge(schemas, manifests) })
	case "analyze":
		answer(analyze)
	case "translate":
		fail(test.Wrap(func(t test.Failer) { answer(func(asked world) any { return translate(t, asked) }) }))
	default:
		fail(fmt.Errorf("unknown command %s", os.Args[1]))
	}
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
}

func must[T any](value T, err error) T {
	fail(err)
	return value
}

func answer[T any](ask func(T) any) {
	in := bufio.NewReader(os.Stdin)
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	for {
		line, end := in.ReadBytes('\n')
		if len(strings.TrimSpace(string(line))) > 0 {
			var asked T
			fail(json.Unmarshal(line, &asked))
			fail(out.Encode(ask(asked)))
		}
		if end == io.EOF {
			return
		}
		fail(end)
	}
}

// istioConfig is what istiod reads from the manifest of one of its kinds, else nil.
func istioConfig(manifest *unstructured.Unstructured) (*config.Config, error) {
	schema, known := collections.Pilot.FindByGroupVersionAliasesKind(config.FromKubernetesGVK(manifest.GroupVersionKind()))
	if !known {
		return nil, nil
	}
	kind := &crd.IstioKind{}
	if err := json.Unmarshal(must(json.Marshal(manifest)), kind); err != nil {
		return nil, err
	}
	return crd.ConvertObject(schema, kind, "cluster.local")
}

type verdict struct {
	Schema  string `json:"schema,omitempty"`
	Refused string `json:"refused,omitempty"`
	Warned  string `json:"warned,omitempty"`
	// Whether istiod validates the kind, and the schemas contain it.
	Istiod bool `json:"istiod"`
	Known  bool `json:"known"`
}

func words(err error) string {
	if err == nil {
		return ""
	}
	return strings.Join(strings.Fields(err.Error()), " ")
}

func judge(schemas *crdvalidation.Validator, manifests []*unstructured.Unstructured) []verdict {
	verdicts := []verdict{}
	for _, manifest := range manifests {
		var said verdict
		found := schemas.ValidateCustomResource(manifest.DeepCopy())
		said.Known = found == nil || !strings.Contains(found.Error(), "failed to validate type")
		if said.Known {
			said.Schema = words(found)
		}
		read, err := istioConfig(manifest)
		said.Refused = words(err)
		if read != nil {
			schema, _ := collections.Pilot.FindByGroupVersionKind(read.GroupVersionKind)
			warning, err := schema.ValidateConfig(*read)
			said.Istiod, said.Refused = true, words(err)
			if warning != nil {
				said.Warned = words(warning)
			}
		}
		verdicts = append(verdicts, said)
	}
	return verdicts
}

type message struct {
	Code     string `json:"code"`
	Level    string `json:"level"`
	Resource string `json:"resource"`
	Message  string `json:"message"`
}

func analyze(manifests []*unstructured.Unstructured) any {
	var text strings.Builder
	for _, manifest := range manifests {
		text.WriteString("---\n")
		text.Write(must(json.Marshal(manifest)))
		text.WriteString("\n")
	}
	source := local.NewSourceAnalyzer(analyzers.AllCombined(), resource.Namespace(""), resource.Namespace("istio-system"), nil)
	// Unlike istioctl with files, this reads Services and Pods too. The first source decides which kinds are read.
	fail(source.AddTestReaderKubeSource([]local.ReaderSource{{Name: "manifests", Reader: strings.NewReader(text.String())}}))
	fail(source.AddDefaultResources())
	messages := []message{}
	for _, m := range must(source.Analyze(make(chan struct{}))).Messages {
		of := ""
		if m.Resource != nil {
			of = m.Resource.Origin.FriendlyName()
		}
		text := fmt.Sprintf(m.Type.Template(), m.Parameters...)
		messages = append(messages, message{m.Type.Code(), m.Type.Level().String(), of, text})
	}
	return messages
}

type world struct {
	Manifests []*unstructured.Unstructured `json:"manifests"`
	Mesh      json.RawMessage              `json:"mesh"`
	Proxies   []struct {
		Pod       string `json:"pod"`
		Namespace string `json:"namespace"`
		Gateway   bool   `json:"gateway"`
	} `json:"proxies"`
}

// translate runs an istiod in this process, with the manifests as its cluster.
func translate(t test.Failer, asked world) any {
	var objects []runtime.Object
	var configs []config.Config
	pods := map[string]*corev1.Pod{}
	decode := kube.IstioCodec.UniversalDeserializer().Decode
	for _, manifest := range asked.Manifests {
		if read := must(istioConfig(manifest)); read != nil {
			configs = append(configs, *read)
		} else if object, _, err := decode(must(json.Marshal(manifest)), nil, nil); err == nil {
			objects = append(objects, object)
			if pod, is := object.(*corev1.Pod); is {
				pods[pod.Namespace+"/"+pod.Name] = pod
			}
		}
	}
	server := xds.NewFakeDiscoveryServer(t, xds.FakeOptions{
		KubernetesObjects: objects, Configs: configs, DisableSecretAuthorization: true,
		MeshConfig: must(mesh.ApplyMeshConfig(string(asked.Mesh), mesh.DefaultMeshConfig())),
		// The fake cluster knows the other kinds of the Gateway API.
		KubeClientModifier: func(client kube.Client) { clienttest.MakeCRD(t, client, gvr.ListenerSet) },
	})
	answers := []any{}
	for _, proxy := range asked.Proxies {
		pod := pods[proxy.Namespace+"/"+proxy.Pod]
		if pod == nil {
			fail(fmt.Errorf("no pod %s in %s", proxy.Pod, proxy.Namespace))
		}
		node := &model.Proxy{
			ID: pod.Name + "." + pod.Namespace, ConfigNamespace: pod.Namespace, IPAddresses: []string{pod.Status.PodIP}, Labels: pod.Labels,
			Metadata: &model.NodeMetadata{
				Namespace: pod.Namespace, Labels: pod.Labels, ServiceAccount: pod.Spec.ServiceAccountName,
				IstioVersion: "1.31.0", ClusterID: "Kubernetes", WorkloadName: pod.Name,
			},
		}
		if proxy.Gateway {
			node.Type = model.Router
		}
		set := server.SetupProxy(node)
		listeners := server.Listeners(set)
		routes := server.RoutesFromListeners(set, listeners)
		answers = append(answers, map[string]any{
			"listeners": messagesOf(listeners), "routes": messagesOf(routes),
			"clusters": messagesOf(server.Clusters(set)), "endpoints": messagesOf(server.Endpoints(set)),
		})
	}
	return answers
}

func messagesOf[T proto.Message](messages []T) []json.RawMessage {
	texts := []json.RawMessage{}
	for _, one := range messages {
		texts = append(texts, must(protojson.Marshal(one)))
	}
	return texts
}
