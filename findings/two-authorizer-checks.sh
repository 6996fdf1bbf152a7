#!/bin/sh
# Expected of a ValidatingAdmissionPolicy: an expression may ask the authorizer as often as it needs, as it may ask other things, and
# `a || b || c` with three checks is the ordinary way to say that one of three rights is enough.
# Seen with k8s.io/apiserver v0.36.3: a check costs 350,000, and one expression (a variable's too) may cost 1,000,000. So two checks are
# answered, and a third makes the whole expression an error, which with failurePolicy Fail refuses the request, but only for users whom the first
# two checks did not let pass. Spread over several variables, each of which has a limit of its own, three are answered.
set -eu
folder=$(mktemp -d)
trap 'chmod -R u+w "$folder"; rm -rf "$folder"' EXIT
cd "$folder"
cat > main.go <<'GO'
package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/google/cel-go/cel"
	"k8s.io/apimachinery/pkg/util/version"
	apiservercel "k8s.io/apiserver/pkg/apis/cel"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	"k8s.io/apiserver/pkg/cel/environment"
	"k8s.io/apiserver/pkg/cel/library"
)

type nobody struct{}

func (nobody) Authorize(context.Context, authorizer.Attributes) (authorizer.Decision, string, error) {
	return authorizer.DecisionNoOpinion, "", nil
}

func main() {
	set, err := environment.MustBaseEnvSet(version.MajorMinor(1, 36)).Extend(environment.VersionedOptions{
		IntroducedVersion: version.MajorMinor(1, 0),
		EnvOptions:        []cel.EnvOption{cel.Variable("authorizer", library.AuthorizerType)},
	})
	if err != nil {
		panic(err)
	}
	env := set.StoredExpressionsEnv()
	check := "authorizer.group('').resource('pods').namespace('team').check('create').allowed()"
	for count := 1; count <= 3; count++ {
		expression := strings.Repeat(check+" || ", count-1) + check
		ast, issues := env.Compile(expression)
		if issues.Err() != nil {
			panic(issues.Err())
		}
		program, err := env.Program(ast,
			cel.CostLimit(apiservercel.PerCallLimit),
			cel.CostTracking(&library.CostEstimator{}),
			cel.InterruptCheckFrequency(100))
		if err != nil {
			panic(err)
		}
		value, details, err := program.ContextEval(context.Background(), map[string]any{
			"authorizer": library.NewAuthorizerVal(&user.DefaultInfo{Name: "somebody"}, nobody{}),
		})
		fmt.Println(count, value, *details.ActualCost(), err)
		if (err == nil) != (count < 3) {
			os.Exit(1)
		}
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
