"""Events as AWS makes them of requests, and the requests' answers as AWS reads them out of what a function gives."""

import base64
import json
import urllib.parse

import httpx

ACCOUNT = "123456789012"
HOST = "abcdefghij.lambda-url.us-east-1.on.aws"
TIME = "22/Nov/2026:01:02:03 +0000"
EPOCH = 1795309323000
SOURCE = "203.0.113.9"
# What a function's answer may be at most, in bytes: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
MOST = 6 * 1024 * 1024
# What may come behind a load balancer.
MOST_OF_ALB = 1024 * 1024

TEXTUAL = ("text/", "application/json", "application/javascript", "application/xml")


def carried(headers, body, binary=None):
    """A body as events carry it, and whether that is base64. Function URLs decide by the content type."""
    if not body:
        return None, False
    if binary is None:
        kind = next((value for name, value in headers if name.lower() == "content-type"), "text/plain")
        binary = not kind.startswith(TEXTUAL)
    return (base64.b64encode(body).decode(), True) if binary else (body.decode(), False)


def joined(headers):
    """Names in lower case, values of one name behind commas."""
    found = {}
    for name, value in headers:
        name = name.lower()
        found[name] = f"{found[name]},{value}" if name in found else value
    return found


def listed(pairs):
    found = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found


def pairs(query):
    return urllib.parse.parse_qsl(query, keep_blank_values=True)


def version_2(method, path, headers, body, query="", binary=None, identity=None, **context):
    cookies = [one.strip() for name, value in headers if name.lower() == "cookie" for one in value.split(";")]
    headers = [(name, value) for name, value in headers if name.lower() != "cookie"]
    text, encoded = carried(headers, body, binary)
    event = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": joined([("x-forwarded-for", SOURCE), ("x-forwarded-proto", "https"), *headers]),
        "requestContext": {
            "accountId": "anonymous",
            "apiId": HOST.partition(".")[0],
            "domainName": HOST,
            "domainPrefix": HOST.partition(".")[0],
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": SOURCE, "userAgent": "tests"},
            "requestId": "8c1bd4a2-9d1e-4f10-a0d5-3b1f0b3d0a54",
            "routeKey": "$default",
            "stage": "$default",
            "time": TIME,
            "timeEpoch": EPOCH,
        }
        | context,
        "isBase64Encoded": encoded,
    }
    if query:
        event["queryStringParameters"] = {name: ",".join(values) for name, values in listed(pairs(query)).items()}
    if cookies:
        event["cookies"] = cookies
    if text is not None:
        event["body"] = text
    return event


def function_url(method, path, headers, body, query="", binary=None, identity=None):
    """Of a function URL; `identity` is the ARN of who signed the request."""
    context = {}
    if identity:
        context = {
            "accountId": ACCOUNT,
            "authentication": None,
            "authorizer": {
                "iam": {
                    "accessKey": "AKIDSIMULATOR0000000",
                    "accountId": ACCOUNT,
                    "callerId": "AIDACKCEVSQ6C2EXAMPLE",
                    "cognitoIdentity": None,
                    "principalOrgId": None,
                    "userArn": identity,
                    "userId": "AIDACKCEVSQ6C2EXAMPLE",
                }
            },
        }
    return version_2(method, path, headers, body, query, binary, **context)


def http_api(method, path, headers, body, query="", binary=None, identity=None):
    """Of an HTTP API: API Gateway's payload format 2.0, with its default stage."""
    host = "abcdefghij.execute-api.us-east-1.amazonaws.com"
    context = {"accountId": ACCOUNT, "domainName": host}
    if identity:
        context["authorizer"] = {"iam": {"accountId": ACCOUNT, "userArn": identity, "userId": "AIDACKCEVSQ6C2EXAMPLE"}}
    return version_2(method, path, headers, body, query, binary, **context)


def http_api_of_own_name(*arguments, **options):
    """The same behind a domain of one's own, which nothing of a function URL has."""
    event = http_api(*arguments, **options)
    event["requestContext"] |= {"domainName": "ai.example.com", "domainPrefix": "ai"}
    return event


def rest_api(method, path, headers, body, query="", binary=None, identity=None):
    """Of a REST API with a proxy resource: API Gateway's payload format 1.0."""
    text, encoded = carried(headers, body, binary)
    headers = [("X-Forwarded-For", SOURCE), ("X-Forwarded-Proto", "https"), *headers]
    names = {name.lower(): name for name, _ in headers}
    headers = [(names[name.lower()], value) for name, value in headers]
    return {
        "resource": "/{proxy+}",
        "path": path,
        "httpMethod": method,
        "headers": dict(headers),
        "multiValueHeaders": listed(headers),
        "queryStringParameters": dict(pairs(query)) or None,
        "multiValueQueryStringParameters": listed(pairs(query)) or None,
        "pathParameters": {"proxy": path.lstrip("/")},
        "stageVariables": None,
        "requestContext": {
            "resourceId": "a1b2c3",
            "resourcePath": "/{proxy+}",
            "httpMethod": method,
            "extendedRequestId": "HmmZDGk3IAMFk1A=",
            "requestTime": TIME,
            "path": f"/prod{path}",
            "accountId": ACCOUNT,
            "protocol": "HTTP/1.1",
            "stage": "prod",
            "domainPrefix": "abcdefghij",
            "requestTimeEpoch": EPOCH,
            "requestId": "b5b4bd18-3f54-4ef2-9a5c-4f2f0c0a7d1f",
            "identity": {
                "cognitoIdentityPoolId": None,
                "accountId": ACCOUNT if identity else None,
                "caller": None,
                "sourceIp": SOURCE,
                "accessKey": None,
                "user": None,
                "userAgent": "tests",
                "userArn": identity,
            },
            "domainName": "abcdefghij.execute-api.us-east-1.amazonaws.com",
            "apiId": "abcdefghij",
        },
        "body": text,
        "isBase64Encoded": encoded,
    }


def balancer(method, path, headers, body, query="", binary=None, identity=None, several=False):
    """Of an Application Load Balancer, which leaves the query as it was sent; `several` as its target group says."""
    text, encoded = carried(headers, body, binary)
    split = [tuple(one.partition("=")[::2]) for one in query.split("&") if one]
    headers = [("x-forwarded-for", SOURCE), ("x-forwarded-proto", "https"), *headers]
    headers = listed([(name.lower(), value) for name, value in headers])
    group = f"arn:aws:elasticloadbalancing:us-east-1:{ACCOUNT}:targetgroup/outcrop/49e9d65c45c6791a"
    event = {"requestContext": {"elb": {"targetGroupArn": group}}, "httpMethod": method, "path": path}
    if several:
        event |= {"multiValueQueryStringParameters": listed(split), "multiValueHeaders": headers}
    else:
        event |= {
            "queryStringParameters": dict(split),
            "headers": {name: values[-1] for name, values in headers.items()},
        }
    return event | {"body": text or "", "isBase64Encoded": encoded}


def balancer_of_several(*arguments, **options):
    return balancer(*arguments, several=True, **options)


KINDS = {
    "function-url": function_url,
    "http-api": http_api,
    "http-api-own-name": http_api_of_own_name,
    "rest-api": rest_api,
    "alb": balancer,
    "alb-multi-value": balancer_of_several,
}


def of_stream(prelude, body):
    """The answer that a streamed payload is: its head is JSON, which AWS takes no other values in than these."""
    assert len(prelude) <= 16 * 1024, "API Gateway looks for the head's end in the first 16 KiB"
    head = json.loads(prelude)
    assert set(head) <= {"statusCode", "headers", "multiValueHeaders", "cookies"}, head
    return build(head, body)


def of_document(kind, document):
    """The answer that a buffered payload is, by what sent the event."""
    known = {"statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"}
    if kind == "function-url" or kind.startswith("http-api"):
        known = known - {"multiValueHeaders"} | {"cookies"}
    elif kind.startswith("alb"):
        known |= {"statusDescription"}
    present = {name for name, value in document.items() if value not in (None, {}, [])}
    assert present <= known, f"{kind} doesn't know {present - known}"
    if kind == "alb":
        document = document | {"multiValueHeaders": {}}
    elif kind == "alb-multi-value":
        document = document | {"headers": {}}
    if kind.startswith("alb"):
        status = str(document["statusCode"])
        assert (document.get("statusDescription") or status).startswith(status)
    body = document.get("body") or ""
    assert isinstance(body, str) and isinstance(document.get("isBase64Encoded", False), bool)
    encoded = document.get("isBase64Encoded", False)
    return build(document, base64.b64decode(body, validate=True) if encoded else body.encode())


def build(head, body):
    status = head.get("statusCode", 200)
    assert isinstance(status, int), status
    single, several = head.get("headers") or {}, head.get("multiValueHeaders") or {}
    assert all(isinstance(value, str) for value in single.values()), f"AWS takes texts only: {single}"
    headers = [(name, value) for name, value in single.items() if name.lower() not in {n.lower() for n in several}]
    headers += [(name, value) for name, values in several.items() for value in values]
    headers += [("set-cookie", one) for one in head.get("cookies") or []]
    # The payload is carried whole: what framed it elsewhere would be wrong here.
    assert "transfer-encoding" not in {name.lower() for name, _ in headers}, headers
    return httpx.Response(status, headers=headers, content=body)
