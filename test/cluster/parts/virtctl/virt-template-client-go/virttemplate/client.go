// Package virttemplate has the client of virtual machine templates as far as it is named where `image-upload` is built.
package virttemplate

import "k8s.io/client-go/rest"

type Client struct{}

func NewForConfig(*rest.Config) (*Client, error) { return &Client{}, nil }

func (*Client) TemplateV1beta1() *Client { return &Client{} }

func (*Client) RESTClient() rest.Interface { return nil }
