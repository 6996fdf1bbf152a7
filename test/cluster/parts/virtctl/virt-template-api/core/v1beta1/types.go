// Package v1beta1 has the type that clients of virtual machine templates name.
package v1beta1

import "k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

type VirtualMachineTemplate struct{ unstructured.Unstructured }
