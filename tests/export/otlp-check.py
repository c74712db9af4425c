# Reads bodies of OTLP in JSON, one on each line, with the protocol's own definitions: for tests.
import json
import sys

from google.protobuf import json_format
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

counts = []
for line in sys.stdin:
    path, body = json.loads(line)
    if path == "/v1/traces":
        # Ids are hexadecimal in OTLP, where protobuf's own JSON has base64: names and types are checked.
        message = json_format.Parse(body, ExportTraceServiceRequest())
        counts.append(sum(len(s.spans) for r in message.resource_spans for s in r.scope_spans))
    else:
        message = json_format.Parse(body, ExportMetricsServiceRequest())
        counts.append(sum(len(s.metrics) for r in message.resource_metrics for s in r.scope_metrics))
print(json.dumps(counts))
