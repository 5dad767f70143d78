// Makes certificates of servers as KubeFlex v0.9.3 makes those of its API servers (pkg/certs/certgen.go), and others that differ in
// one point each. Prints them as JSON, each with what Go's own verification says of it.
package main

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net"
	"net/url"
	"os"
	"time"
)

const name = "wds1.localtest.me"

// Case is one server, and the authorities that its client knows.
type Case struct {
	What        string `json:"what"`
	Name        string `json:"name"`
	Authorities string `json:"authorities"`
	Certificate string `json:"certificate"`
	Key         string `json:"key"`
	// What Go says against it; empty if it accepts the server.
	Refused string `json:"refused"`
}

// What a certificate is made of, and a change before it is made.
type change func(*setting)
type setting struct {
	authority, leaf    x509.Certificate
	signer, shown, own *rsa.PrivateKey
	name               string
	// What the client knows in place of the authority, PEM.
	known []byte
	// In place of the authority's name.
	issuer *x509.Certificate
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func newKey() *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, 2048)) }

var ofAuthority, ofServer, ofOther = newKey(), newKey(), newKey()

func sign(template, parent *x509.Certificate, key, signer *rsa.PrivateKey) []byte {
	return must(x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer))
}

func encode(kind string, bytes []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: bytes}))
}

func start() setting {
	now := time.Now()
	nothing := sha1.Sum(nil)
	authority := x509.Certificate{
		SerialNumber: big.NewInt(1654),
		Subject:      pkix.Name{Organization: []string{"Kubernetes"}, OrganizationalUnit: []string{"API Server"}, CommonName: "kubernetes"},
		NotBefore:    now.Add(-time.Hour), NotAfter: now.AddDate(10, 0, 0),
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment,
		BasicConstraintsValid: true, IsCA: true,
	}
	leaf := x509.Certificate{
		SerialNumber: big.NewInt(1658), Subject: pkix.Name{CommonName: "kube-apiserver"},
		DNSNames:  []string{"kubernetes", "kubernetes.default.svc", "localhost", name},
		NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(10, 0, 0),
		KeyUsage:              x509.KeyUsageKeyEncipherment | x509.KeyUsageDigitalSignature | x509.KeyUsageDataEncipherment,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		AuthorityKeyId:        nothing[:],
		BasicConstraintsValid: true,
	}
	return setting{authority: authority, leaf: leaf, signer: ofAuthority, own: ofAuthority, shown: ofServer, name: name}
}

func extension(oid []int, critical bool, value []byte) pkix.Extension {
	return pkix.Extension{Id: oid, Critical: critical, Value: value}
}

var unknown = []int{1, 3, 6, 1, 4, 1, 99999, 1}
var null = []byte{5, 0}

// A SubjectKeyId, which Go gives authorities only. OpenSSL compares the AuthorityKeyId with it.
var ofKey = []pkix.Extension{extension([]int{2, 5, 29, 14}, false, []byte{4, 1, 1})}

var cases = []struct {
	what   string
	change change
}{
	{"KubeFlex makes", func(*setting) {}},
	{"KubeFlex makes, by its address", func(s *setting) { s.leaf.IPAddresses, s.name = []net.IP{net.IPv4(127, 0, 0, 1)}, "127.0.0.1" }},
	{"has a name with a wildcard", func(s *setting) { s.leaf.DNSNames = []string{"*.localtest.me"} }},
	{"has an extension that nobody knows", func(s *setting) { s.leaf.ExtraExtensions = []pkix.Extension{extension(unknown, false, null)} }},
	{"may be of any use", func(s *setting) { s.leaf.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageAny} }},
	{"says nothing of its use", func(s *setting) { s.leaf.ExtKeyUsage = nil }},
	// Go does not read it: stellarctl is stricter.
	{"has another AuthorityKeyId", func(s *setting) { s.leaf.AuthorityKeyId = append(make([]byte, 19), 1) }},
	{"has the AuthorityKeyId of its authority", func(s *setting) {
		made := must(x509.ParseCertificate(sign(&s.authority, &s.authority, s.own, s.own)))
		s.leaf.AuthorityKeyId = made.SubjectKeyId
	}},
	{"is signed by another key", func(s *setting) { s.signer = ofOther }},
	{"is signed by another key, of an authority that is known beside it", func(s *setting) {
		s.signer = ofOther
		other := s.authority
		other.Subject.CommonName = "other"
		s.known = []byte(encode("CERTIFICATE", sign(&s.authority, &s.authority, ofAuthority, ofAuthority)) + encode("CERTIFICATE", sign(&other, &other, ofOther, ofOther)))
	}},
	{"has expired", func(s *setting) { s.leaf.NotAfter = time.Now().Add(-time.Minute) }},
	{"is not valid yet", func(s *setting) { s.leaf.NotBefore = time.Now().Add(time.Hour) }},
	{"is for another name", func(s *setting) { s.leaf.DNSNames = []string{"wds2.localtest.me"} }},
	{"is for a part of the name", func(s *setting) { s.leaf.DNSNames = []string{"localtest.me"} }},
	{"has a wildcard in a part of a label", func(s *setting) { s.leaf.DNSNames = []string{"wds*.localtest.me"} }},
	{"has a wildcard for two labels", func(s *setting) { s.leaf.DNSNames = []string{"*.me"} }},
	{"has the name in its subject only", func(s *setting) { s.leaf.DNSNames, s.leaf.Subject.CommonName = nil, name }},
	{"has the name in its subject beside other names", func(s *setting) { s.leaf.DNSNames, s.leaf.Subject.CommonName = []string{"localhost"}, name }},
	{"has the name as a URI", func(s *setting) { s.leaf.DNSNames, s.leaf.URIs = nil, []*url.URL{{Scheme: "https", Host: name}} }},
	{"has the name as an e-mail address", func(s *setting) { s.leaf.DNSNames, s.leaf.EmailAddresses = nil, []string{"a@" + name} }},
	{"has the address as a name", func(s *setting) { s.leaf.DNSNames, s.name = []string{"127.0.0.1"}, "127.0.0.1" }},
	{"is for another address", func(s *setting) { s.leaf.IPAddresses, s.name = []net.IP{net.IPv4(127, 0, 0, 2)}, "127.0.0.1" }},
	{"has an authority that is none", func(s *setting) { s.authority.IsCA, s.authority.ExtraExtensions = false, ofKey }},
	{"has an authority that does not say that it is one", func(s *setting) {
		s.authority.IsCA, s.authority.BasicConstraintsValid, s.authority.ExtraExtensions = false, false, ofKey
	}},
	{"has an authority that may not sign certificates", func(s *setting) { s.authority.KeyUsage = x509.KeyUsageDigitalSignature }},
	{"has an authority that has expired", func(s *setting) { s.authority.NotAfter = time.Now().Add(-time.Minute) }},
	{"has an authority that is not valid yet", func(s *setting) { s.authority.NotBefore = time.Now().Add(time.Hour) }},
	{"has an authority for other names", func(s *setting) {
		s.authority.PermittedDNSDomainsCritical, s.authority.PermittedDNSDomains = true, []string{"example.com"}
	}},
	{"has an authority that excludes the name", func(s *setting) { s.authority.ExcludedDNSDomains = []string{"localtest.me"} }},
	{"has an authority for clients only", func(s *setting) { s.authority.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }},
	{"has an authority with a critical extension that nobody knows", func(s *setting) { s.authority.ExtraExtensions = []pkix.Extension{extension(unknown, true, null)} }},
	{"has signed itself", func(s *setting) { s.signer, s.issuer = ofServer, &s.leaf }},
	{"is signed by an authority that is not known", func(s *setting) {
		other := s.authority
		s.known = []byte(encode("CERTIFICATE", sign(&other, &other, ofOther, ofOther)))
	}},
	{"has the key of its authority under another name", func(s *setting) {
		other := s.authority
		other.Subject = pkix.Name{CommonName: "other"}
		s.issuer = &other
	}},
	{"has an authority whose name differs in its order", func(s *setting) {
		other := s.authority
		other.Subject = pkix.Name{ExtraNames: []pkix.AttributeTypeAndValue{
			{Type: asn1.ObjectIdentifier{2, 5, 4, 3}, Value: "kubernetes"}, {Type: asn1.ObjectIdentifier{2, 5, 4, 11}, Value: "API Server"}, {Type: asn1.ObjectIdentifier{2, 5, 4, 10}, Value: "Kubernetes"},
		}}
		s.issuer = &other
	}},
	{"has an authority whose name differs in case", func(s *setting) {
		other := s.authority
		other.Subject.CommonName = "Kubernetes"
		s.issuer = &other
	}},
	{"is signed with SHA-1", func(s *setting) { s.leaf.SignatureAlgorithm = x509.SHA1WithRSA }},
	{"is for clients only", func(s *setting) { s.leaf.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }},
	{"has a critical extension that nobody knows", func(s *setting) { s.leaf.ExtraExtensions = []pkix.Extension{extension(unknown, true, null)} }},
	{"has an extension twice", func(s *setting) {
		s.leaf.ExtraExtensions = []pkix.Extension{extension(unknown, false, null), extension(unknown, false, null)}
	}},
}

func verdict(leaf []byte, authorities []byte, name string) string {
	parsed, err := x509.ParseCertificate(leaf)
	if err != nil {
		return err.Error()
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authorities)
	if _, err = parsed.Verify(x509.VerifyOptions{Roots: roots, DNSName: name}); err != nil {
		return err.Error()
	}
	return ""
}

func main() {
	made := []Case{}
	for _, each := range cases {
		s := start()
		each.change(&s)
		issuer := &s.authority
		if s.issuer != nil {
			issuer = s.issuer
		}
		leaf := sign(&s.leaf, issuer, s.shown, s.signer)
		known := s.known
		if known == nil {
			known = []byte(encode("CERTIFICATE", sign(&s.authority, &s.authority, s.own, s.own)))
		}
		key := encode("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(s.shown))
		made = append(made, Case{each.what, s.name, string(known), encode("CERTIFICATE", leaf), key, verdict(leaf, known, s.name)})
	}
	json.NewEncoder(os.Stdout).Encode(made)
}
