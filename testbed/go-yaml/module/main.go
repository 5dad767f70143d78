// Reads documents of YAML as client-go reads kubeconfigs (tools/clientcmd, by sigs.k8s.io/yaml): a list of texts as JSON on stdin, and on
// stdout a list of what each holds, or `{"error": …}`. With an argument it writes: a list of values, and a list of their texts.
package main

import (
	"encoding/json"
	"os"

	"sigs.k8s.io/yaml"
)

func main() {
	if len(os.Args) > 1 {
		write()
		return
	}
	var texts []string
	if err := json.NewDecoder(os.Stdin).Decode(&texts); err != nil {
		panic(err)
	}
	read := make([]json.RawMessage, len(texts))
	for index, text := range texts {
		content, err := yaml.YAMLToJSON([]byte(text))
		if err != nil {
			content, _ = json.Marshal(map[string]string{"error": err.Error()})
		}
		read[index] = content
	}
	if err := json.NewEncoder(os.Stdout).Encode(read); err != nil {
		panic(err)
	}
}

func write() {
	var values []any
	if err := json.NewDecoder(os.Stdin).Decode(&values); err != nil {
		panic(err)
	}
	texts := make([]string, len(values))
	for index, value := range values {
		text, err := yaml.Marshal(value)
		if err != nil {
			text = []byte(err.Error())
		}
		texts[index] = string(text)
	}
	if err := json.NewEncoder(os.Stdout).Encode(texts); err != nil {
		panic(err)
	}
}
