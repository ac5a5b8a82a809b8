package e2e

import (
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

func (g *generator) service() (string, error) {
	ns, name, exists := g.name("Service")
	api := g.k.CoreV1().Services(ns)
	fill := func(s *corev1.Service) {
		s.Labels, s.Annotations = map[string]string{}, map[string]string{}
		for k, v := range map[string]string{
			"loadbalancer-approved": "true", "external-dns-approved": "true", "nodeport-exception": "true",
			"external-ip-approved": "true", "visibility": "private",
		} {
			if g.chance(20) {
				s.Labels[k] = v
			}
		}
		if g.chance(30) {
			s.Annotations[g.one("service.beta.kubernetes.io/aws-load-balancer-internal",
				"service.beta.kubernetes.io/azure-load-balancer-internal",
				"networking.gke.io/load-balancer-type")] = g.one("true", "false", "Internal", "")
		}
		s.Spec.Selector, s.Spec.ExternalIPs, s.Spec.ExternalName = nil, nil, ""
		if g.chance(80) {
			s.Spec.Selector = map[string]string{"app": g.one("web", "api", "db", "nobody")}
		}
		s.Spec.Type = corev1.ServiceType(g.one("ClusterIP", "NodePort", "LoadBalancer", "ClusterIP", "LoadBalancer"))
		target := intstr.FromInt32(8080)
		if g.chance(50) {
			target = intstr.FromString(g.one("http", "web", "metrics", "nowhere"))
		}
		s.Spec.Ports = []corev1.ServicePort{{Name: "main", Port: int32(80 + g.IntN(3)), TargetPort: target, Protocol: corev1.Protocol(g.one("TCP", "TCP", "UDP"))}}
		if g.chance(12) {
			s.Spec.ExternalIPs = []string{"192.0.2.7"}
		}
	}
	create := func() error {
		s := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: name}}
		fill(s)
		if g.chance(15) {
			s.Spec = corev1.ServiceSpec{Type: corev1.ServiceTypeExternalName, ExternalName: "db.example.com"}
		} else if g.chance(10) {
			s.Spec.Type, s.Spec.ClusterIP = corev1.ServiceTypeClusterIP, corev1.ClusterIPNone
		}
		_, err := api.Create(ctx, s, metav1.CreateOptions{})
		return err
	}
	update := func() error {
		s, err := api.Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		fill(s)
		if s.Spec.ClusterIP == corev1.ClusterIPNone {
			s.Spec.Type = corev1.ServiceTypeClusterIP
		}
		_, err = api.Update(ctx, s, metav1.UpdateOptions{})
		return err
	}
	remove := func() error { return api.Delete(ctx, name, metav1.DeleteOptions{}) }
	return g.put("Service", ns, name, exists, create, update, remove)
}

func (g *generator) ingress() (string, error) {
	ns, name, exists := g.name("Ingress")
	api := g.k.NetworkingV1().Ingresses(ns)
	fill := func(i *networkingv1.Ingress) {
		host := g.one("a.example.com", "b.example.com", "*.example.com", "")
		i.Labels, i.Annotations = map[string]string{}, map[string]string{}
		i.Spec = plainIngress(ns, name, host).Spec
		backend := i.Spec.Rules[0].HTTP.Paths[0].Backend.Service
		backend.Name = g.one("web", "api", "db", "nothing")
		backend.Port.Number = int32(80 + g.IntN(3))
		if g.chance(30) {
			backend.Port = networkingv1.ServiceBackendPort{Name: g.one("main", "other")}
		}
		if g.chance(25) {
			i.Labels["visibility"] = "private"
		}
		if g.chance(60) {
			class := g.one("nginx", "nginx-internal", "traefik", "rogue", "missing")
			i.Spec.IngressClassName = &class
		} else if !exists && g.chance(30) {
			i.Annotations["kubernetes.io/ingress.class"] = g.one("nginx", "rogue")
		}
		if g.chance(60) {
			entry := networkingv1.IngressTLS{SecretName: g.one("cert", "cert", "cert", "")}
			for _, h := range []string{"a.example.com", "b.example.com", "*.example.com", "c.example.org"} {
				if g.chance(35) {
					entry.Hosts = append(entry.Hosts, h)
				}
			}
			i.Spec.TLS = []networkingv1.IngressTLS{entry}
		}
		for _, a := range []string{"ssl-redirect", "force-ssl-redirect"} {
			if g.chance(20) {
				i.Annotations["nginx.ingress.kubernetes.io/"+a] = g.one("true", "false", "no")
			}
		}
		if g.chance(10) {
			i.Annotations[g.one("nginx.ingress.kubernetes.io/configuration-snippet", "nginx.org/server-snippets")] = "return 200;"
		}
		if g.chance(10) {
			i.Spec.DefaultBackend = &networkingv1.IngressBackend{Service: backend.DeepCopy()}
		}
	}
	create := func() error {
		i := &networkingv1.Ingress{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: name}}
		fill(i)
		_, err := api.Create(ctx, i, metav1.CreateOptions{})
		return err
	}
	update := func() error {
		i, err := api.Get(ctx, name, metav1.GetOptions{})
		if err == nil {
			fill(i)
			_, err = api.Update(ctx, i, metav1.UpdateOptions{})
		}
		return err
	}
	remove := func() error { return api.Delete(ctx, name, metav1.DeleteOptions{}) }
	return g.put("Ingress", ns, name, exists, create, update, remove)
}

func (g *generator) ingressClass() (string, error) {
	name := g.one("nginx", "nginx-internal", "traefik", "rogue")
	api := g.k.NetworkingV1().IngressClasses()
	mark := func(i *networkingv1.IngressClass) {
		i.Annotations = map[string]string{}
		if g.chance(25) {
			i.Annotations[networkingv1.AnnotationIsDefaultIngressClass] = g.one("true", "false")
		}
	}
	create := func() error {
		i := ingressClassOf(name, g.one("k8s.io/ingress-nginx", "example.com/other"))
		mark(i)
		_, err := api.Create(ctx, i, metav1.CreateOptions{})
		return err
	}
	update := func() error {
		i, err := api.Get(ctx, name, metav1.GetOptions{})
		if err == nil {
			mark(i)
			_, err = api.Update(ctx, i, metav1.UpdateOptions{})
		}
		return err
	}
	remove := func() error { return api.Delete(ctx, name, metav1.DeleteOptions{}) }
	return g.put("IngressClass", "", name, g.exists["IngressClass"]["/"+name], create, update, remove)
}

func (g *generator) selector() metav1.LabelSelector {
	switch g.IntN(6) {
	case 0, 1:
		return metav1.LabelSelector{}
	case 2:
		return metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{
			Key: g.one("app", "tier"), Operator: metav1.LabelSelectorOperator(g.one("In", "NotIn")), Values: []string{g.one("web", "front"), "db"},
		}}}
	case 3:
		return metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{
			Key: g.one("app", "tier"), Operator: metav1.LabelSelectorOperator(g.one("Exists", "DoesNotExist")),
		}}}
	default:
		return metav1.LabelSelector{MatchLabels: map[string]string{"app": g.one("web", "api", "db")}}
	}
}

func (g *generator) peers() []networkingv1.NetworkPolicyPeer {
	var peers []networkingv1.NetworkPolicyPeer
	for range g.IntN(3) {
		var p networkingv1.NetworkPolicyPeer
		switch g.IntN(4) {
		case 0:
			p.IPBlock = &networkingv1.IPBlock{CIDR: g.one("10.0.0.0/8", "0.0.0.0/0", "0.0.0.0/1", "128.0.0.0/1", "2001:db8::/32", "::/0")}
			if p.IPBlock.CIDR == "0.0.0.0/0" && g.chance(50) {
				p.IPBlock.Except = []string{g.one("169.254.169.254/32", "128.0.0.0/1")}
			}
		case 1:
			s := g.selector()
			p.NamespaceSelector = &s
		case 2:
			s := g.selector()
			p.PodSelector = &s
		default:
			s, n := g.selector(), metav1.LabelSelector{}
			p.PodSelector, p.NamespaceSelector = &s, &n
		}
		peers = append(peers, p)
	}
	return peers
}

func (g *generator) ports() []networkingv1.NetworkPolicyPort {
	if g.chance(50) {
		return nil
	}
	udp, tcp := corev1.ProtocolUDP, corev1.ProtocolTCP
	port, named, end := intstr.FromInt32(8080), intstr.FromString(g.one("http", "metrics")), int32(9000)
	low, high := intstr.FromInt32(1), int32(65535)
	return [][]networkingv1.NetworkPolicyPort{
		{{Protocol: &tcp}}, {{Protocol: &tcp, Port: &port}}, {{Protocol: &udp, Port: &port, EndPort: &end}},
		{{Protocol: &tcp, Port: &named}}, {{Protocol: &tcp, Port: &low, EndPort: &high}}, {{Protocol: &udp}, {Protocol: &tcp}},
	}[g.IntN(6)]
}

func (g *generator) networkPolicy() (string, error) {
	ns, name, exists := g.name("NetworkPolicy")
	api := g.k.NetworkingV1().NetworkPolicies(ns)
	fill := func() networkingv1.NetworkPolicySpec {
		s := networkingv1.NetworkPolicySpec{PodSelector: g.selector()}
		switch g.IntN(5) {
		case 0:
			s.PolicyTypes = []networkingv1.PolicyType{networkingv1.PolicyTypeIngress}
		case 1:
			s.PolicyTypes = []networkingv1.PolicyType{networkingv1.PolicyTypeEgress}
		case 2, 3:
			s.PolicyTypes = []networkingv1.PolicyType{networkingv1.PolicyTypeIngress, networkingv1.PolicyTypeEgress}
		}
		for range g.IntN(3) - 1 {
			s.Ingress = append(s.Ingress, networkingv1.NetworkPolicyIngressRule{From: g.peers(), Ports: g.ports()})
		}
		for range g.IntN(3) - 1 {
			s.Egress = append(s.Egress, networkingv1.NetworkPolicyEgressRule{To: g.peers(), Ports: g.ports()})
		}
		return s
	}
	create := func() error {
		p := &networkingv1.NetworkPolicy{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: name}, Spec: fill()}
		_, err := api.Create(ctx, p, metav1.CreateOptions{})
		return err
	}
	update := func() error {
		p, err := api.Get(ctx, name, metav1.GetOptions{})
		if err == nil {
			p.Spec = fill()
			_, err = api.Update(ctx, p, metav1.UpdateOptions{})
		}
		return err
	}
	remove := func() error { return api.Delete(ctx, name, metav1.DeleteOptions{}) }
	return g.put("NetworkPolicy", ns, name, exists, create, update, remove)
}
