package onnx

import "fmt"

// checkModel checks what concerns the model as a whole.
func checkModel(m *modelProto) error {
	switch {
	case m.graph == nil:
		return fmt.Errorf("it holds no graph: the file may be another kind of protobuf")
	case m.irVersion < 1:
		return fmt.Errorf("it has no ir_version")
	case m.irVersion > newestIR:
		return fmt.Errorf("its format (IR version %d) is newer than this program knows (%d): export with an older opset", m.irVersion, newestIR)
	case len(m.graph.outputs) == 0:
		return fmt.Errorf("the graph has no outputs")
	case m.graph.sparse > 0:
		return fmt.Errorf("sparse initializers are not supported")
	}
	return checkOpset(m.opsets)
}

// checkOpset checks the version of ONNX's own operators; other domains matter only where a node uses them.
func checkOpset(opsets []opsetImport) error {
	for _, o := range opsets {
		if canonicalDomain(o.domain) != "" {
			continue
		}
		if o.version < oldestOpset || o.version > newestOpset {
			return fmt.Errorf("it uses opset %d; %d to %d are supported: export it with opset_version=17", o.version, oldestOpset, newestOpset)
		}
		return nil
	}
	return fmt.Errorf("it does not say which opset it uses (opset_import)")
}

// unknownOperators lists the nodes whose operators have no row in the table.
func unknownOperators(nodes []*nodeProto) []Unsupported {
	var list []Unsupported
	for _, n := range nodes {
		if row, reason := lookup(n); row == nil {
			list = append(list, Unsupported{n.opType, (&node{nodeProto: n}).label(), reason})
		}
	}
	return list
}
