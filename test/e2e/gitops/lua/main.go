// Judges objects by health scripts in Argo CD's own Lua engine. Reads {"scripts": {"group/Kind": "…"}, "objects": […]} and writes
// a list with {"status", "message"} or {"error"} for each object, and null where Argo CD has no script, neither ours nor its own.
package main

import (
	"encoding/json"
	"log"
	"os"

	appv1 "github.com/argoproj/argo-cd/v3/pkg/apis/application/v1alpha1"
	"github.com/argoproj/argo-cd/v3/util/lua"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

type verdict struct {
	Status  string `json:"status,omitempty"`
	Message string `json:"message,omitempty"`
	Error   string `json:"error,omitempty"`
}

func main() {
	var input struct {
		Scripts map[string]string `json:"scripts"`
		Objects []map[string]any  `json:"objects"`
	}
	if err := json.NewDecoder(os.Stdin).Decode(&input); err != nil {
		log.Fatal(err)
	}
	overrides := map[string]appv1.ResourceOverride{}
	for kind, script := range input.Scripts {
		overrides[kind] = appv1.ResourceOverride{HealthLua: script}
	}
	verdicts := make([]*verdict, len(input.Objects))
	for i, object := range input.Objects {
		verdicts[i] = judge(lua.VM{ResourceOverrides: overrides}, &unstructured.Unstructured{Object: object})
	}
	if err := json.NewEncoder(os.Stdout).Encode(verdicts); err != nil {
		log.Fatal(err)
	}
}

func judge(vm lua.VM, object *unstructured.Unstructured) *verdict {
	script, openLibs, err := vm.GetHealthScript(object)
	if err != nil {
		return &verdict{Error: err.Error()}
	}
	if script == "" {
		return nil
	}
	vm.UseOpenLibs = openLibs
	health, err := vm.ExecuteHealthLua(object, script)
	if err != nil {
		return &verdict{Error: err.Error()}
	}
	return &verdict{Status: string(health.Status), Message: health.Message}
}
