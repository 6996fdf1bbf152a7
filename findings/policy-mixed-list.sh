#!/bin/sh
# Expected of a ValidatingAdmissionPolicy: what a policy's expression reads from an object may stand in a list beside words of its own, as a
# messageExpression may be a field of the object, since both are of no type before there is an object.
# Seen with k8s.io/apiserver v0.36.3: a list that is written with a word and a field is refused when the policy is made ("expected type 'string' but
# found 'dyn'"), so that none of the policy's rules is in force. The sum of two lists with the same elements is taken, and so is the field with a default
# (orValue), or within string(). A field alone has no type, which a messageExpression must have; with a word added to it, it has one.
set -eu
folder=$(mktemp -d)
trap 'chmod -R u+w "$folder"; rm -rf "$folder"' EXIT
cd "$folder"
cat > main.go <<'GO'
package main

import (
	"fmt"
	"os"

	"github.com/google/cel-go/cel"
	"k8s.io/apimachinery/pkg/util/version"
	"k8s.io/apiserver/pkg/cel/environment"
)

const refused = "refused"

func main() {
	set, err := environment.MustBaseEnvSet(version.MajorMinor(1, 36)).Extend(environment.VersionedOptions{
		IntroducedVersion: version.MajorMinor(1, 0),
		EnvOptions:        []cel.EnvOption{cel.Variable("object", cel.DynType)},
	})
	if err != nil {
		panic(err)
	}
	env := set.StoredExpressionsEnv()
	expectations := []struct{ expression, outcome string }{
		{"['word', object.metadata.name]", refused},
		{"['word'] + [object.metadata.name]", "list(dyn)"},
		{"['word', object.metadata.?labels['x'].orValue('')]", "list(string)"},
		{"['word', string(object.metadata.name)]", "list(string)"},
		{"object.metadata.name", "dyn"},
		{"'word' + object.metadata.name", "string"},
	}
	failed := false
	for _, expected := range expectations {
		outcome := refused
		ast, issues := env.Compile(expected.expression)
		if issues.Err() == nil {
			outcome = ast.OutputType().String()
		}
		fmt.Printf("%-52s %s\n", expected.expression, outcome)
		failed = failed || outcome != expected.outcome
	}
	if failed {
		os.Exit(1)
	}
}
GO
cat > go.mod <<'MOD'
module finding

go 1.25
MOD
go get k8s.io/apiserver@v0.36.3 > get.log 2>&1 || { cat get.log; exit 2; }
go mod tidy > tidy.log 2>&1 || { cat tidy.log; exit 2; }
go run .
