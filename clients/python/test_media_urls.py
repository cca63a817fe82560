"""Images by URL: what is fetched for a client, and what never is."""

import pytest

from support import media, models, shapes
from support.exchange import ask, blocks
from support.fetched import Site
from support.process import Stack

TEXT = {"type": "text", "text": "[[sim:text I see.]]"}
LOOPBACK = {"OUTCROP_FETCH_PRIVATE_NETWORKS": "127.0.0.0/8"}


@pytest.fixture
def site():
    with Site() as running:
        yield running


@pytest.fixture(scope="module")
def local():
    """A gateway that may fetch from this machine."""
    with Stack(env=LOOPBACK) as running:
        yield running


def look(stack, *urls, **fields):
    parts = [{"type": "image_url", "image_url": {"url": url}} for url in urls]
    return ask(stack, [TEXT, *parts], **fields)


def refused(asked, *words):
    error = shapes.check_error(asked.reply, 400, param=["messages", "image_url"])
    assert not asked.calls, "Bedrock was called"
    for word in words:
        assert word in error["message"], error
    return error


def formats(asked):
    return [sent["format"] for sent in blocks(asked.call, "image")]


class TestFetching:
    @pytest.mark.parametrize("kind", media.IMAGES)
    def test_each_kind(self, local, site, kind):
        (sent,) = blocks(look(local, site.url(f"/image?kind={kind}")).call, "image")
        assert sent == {"format": kind, "source": {"bytes": media.base64_of(media.IMAGES[kind])}}

    @pytest.mark.parametrize("label", ["image/jpeg", "text/html", "application/octet-stream"])
    def test_the_bytes_are_believed_not_the_label(self, local, site, label):
        assert formats(look(local, site.url(f"/image?kind=gif&label={label}"))) == ["gif"]

    def test_streams_too(self, local, site):
        asked = look(local, site.url(), stream=True)
        assert formats(asked) == ["png"] and asked.answer.content == "I see."

    def test_in_order(self, local, site):
        kinds = ["webp", "gif", "png", "jpeg", "gif"]
        assert formats(look(local, *[site.url(f"/image?kind={kind}") for kind in kinds])) == kinds

    def test_beside_data_urls(self, local, site):
        urls = [media.data_url(media.GIF), site.url(), media.data_url(media.JPEG)]
        assert formats(look(local, *urls)) == ["gif", "png", "jpeg"]

    def test_by_name(self, local, site):
        assert formats(look(local, site.url(host="localhost"))) == ["png"]

    def test_nothing_of_the_clients_goes_along(self, local, site):
        assert look(local, site.url(), headers={"cookie": "secret=1", "x-secret": "1"}).status == 200
        ((_, headers),) = site.hits
        assert not {"authorization", "cookie", "x-secret", "x-amz-date", "api-key"} & set(headers), headers

    def test_at_the_same_time(self, local, site):
        """The site answers none of them before all have asked."""
        urls = [site.url(f"/together?of=4&number={number}") for number in range(4)]
        assert len(formats(look(local, *urls))) == 4

    def test_models_that_see_nothing_cause_no_fetching(self, local, site):
        shapes.check_error(look(local, site.url(), model=models.LLAMA_3_1).reply, 400)
        assert not site.paths


    def test_more_than_bedrock_takes_are_not_fetched(self, local, site):
        urls = [site.url(f"/image?number={number}") for number in range(21)]
        assert "20" in refused(look(local, *urls))["message"]
        assert not site.paths


class TestFailures:
    @pytest.mark.parametrize("code", [400, 401, 403, 404, 410, 429, 500, 503])
    def test_other_statuses(self, local, site, code):
        refused(look(local, site.url(f"/status?code={code}")), str(code))

    @pytest.mark.parametrize("label", ["text/html", "image/png"])
    def test_no_image(self, local, site, label):
        refused(look(local, site.url(f"/page?label={label}")))

    def test_nobody_there(self, local):
        with Site() as gone:
            url = gone.url()
        refused(look(local, url))

    def test_a_name_that_nobody_has(self, local):
        refused(look(local, "http://nobody.invalid/a.png"))

    def test_one_of_several(self, local, site):
        parts = [site.url(), site.url("/gone"), site.url()]
        error = refused(look(local, *parts))
        assert "[2]" in error["param"], error

    def test_too_many_bytes_by_their_length(self, local, site):
        refused(look(local, site.url("/large?bytes=4500000")))

    def test_too_many_bytes_without_one(self, local, site):
        refused(look(local, site.url("/endless")))

    def test_a_decompression_bomb(self, local, site):
        refused(look(local, site.url("/bomb")))

    @pytest.mark.parametrize(
        "url",
        [
            "http://",
            "http:///a.png",
            "http://:80/",
            "https://exa mple.com/",
            "http://[::1",
            "http://example.com:99999/",
            "HTTP://127.0.0.1:0/",
            "gopher://127.0.0.1/",
            "ws://127.0.0.1/",
            "//127.0.0.1/a.png",
        ],
    )
    def test_no_url(self, local, url):
        refused(look(local, url))


class TestRedirects:
    @pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
    def test_are_followed(self, local, site, code):
        assert formats(look(local, site.url(f"/to?code={code}&url=/image"))) == ["png"]

    def test_without_end(self, local, site):
        refused(look(local, site.url("/loop")))
        assert len(site.paths) < 20

    @pytest.mark.parametrize(
        "target",
        [
            "http://169.254.169.254/latest/meta-data/",
            "http://[fd00:ec2::254]/latest/meta-data/",
            "http://10.0.0.1/",
            "http://[::1]:{port}/image",
            "file:///etc/passwd",
            "ftp://127.0.0.1/",
            "data:image/png;base64,AAAA",
        ],
    )
    def test_lead_nowhere_that_a_url_could_not(self, local, site, target):
        """Loopback IPv4 is allowed here; nothing else is."""
        refused(look(local, site.url(f"/to?url={target.format(port=site.port)}")))
        assert len(site.paths) == 1

    def test_a_redirect_without_a_place(self, local, site):
        refused(look(local, site.url("/status?code=302")))


# Written so that a reader of text may not see where they lead.
LOOPBACKS = [
    "http://127.0.0.1:{port}/image",
    "http://localhost:{port}/image",
    "http://LOCALHOST:{port}/image",
    "http://localhost.:{port}/image",
    "http://127.1:{port}/image",
    "http://127.0.1:{port}/image",
    "http://2130706433:{port}/image",
    "http://0x7f000001:{port}/image",
    "http://0x7f.0.0.1:{port}/image",
    "http://0177.0.0.1:{port}/image",
    "http://127.0.0.1.:{port}/image",
    "http://0.0.0.0:{port}/image",
    "http://0:{port}/image",
    "http://[::]:{port}/image",
    "http://[::1]:{port}/image",
    "http://[0:0:0:0:0:0:0:1]:{port}/image",
    "http://[::ffff:127.0.0.1]:{port}/image",
    "http://[::ffff:7f00:1]:{port}/image",
    "http://[::127.0.0.1]:{port}/image",
    "http://someone@127.0.0.1:{port}/image",
    "http://example.com@127.0.0.1:{port}/image",
    "http://example.com:80@127.0.0.1:{port}/image",
    "http://127.0.0.1:{port}\\@example.com/image",
    "http://１２７.0.0.1:{port}/image",
    "http://%31%32%37.0.0.1:{port}/image",
    " http://127.0.0.1:{port}/image",
    "http://127.0.0.1:{port}/image#.example.com",
    "hTTp://127.0.0.1:{port}/image",
]
# Nobody may be asked there, whether somebody would answer or not.
ELSEWHERE = [
    "http://169.254.169.254/latest/meta-data/iam/security-credentials/",
    "http://169.254.170.2/v2/credentials",
    "http://169.254.170.23/v1/credentials",
    "http://[fd00:ec2::254]/latest/meta-data/",
    "http://[fd00:ec2::23]/v1/credentials",
    "http://[::ffff:169.254.169.254]/",
    "http://[64:ff9b::169.254.169.254]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[2002:7f00:1::]/",
    "http://[2002:a9fe:a9fe::]/",
    "http://[2001:0:1:2:3:4:5601:5601]/",
    "http://2852039166/",
    "http://0xa9fea9fe/",
    "http://168.63.129.16/",
    "http://10.1.2.3/",
    "http://172.16.0.1/",
    "http://172.31.255.254/",
    "http://192.168.1.1/",
    "http://100.64.0.1/",
    "http://192.0.0.1/",
    "http://192.0.2.1/",
    "http://198.18.0.1/",
    "http://198.51.100.1/",
    "http://203.0.113.1/",
    "http://224.0.0.1/",
    "http://239.255.255.250/",
    "http://240.0.0.1/",
    "http://255.255.255.255/",
    "http://0.1.2.3/",
    "http://[fe80::1]/",
    "http://[fc00::1]/",
    "http://[fec0::1]/",
    "http://[ff02::1]/",
    "http://[2001:db8::1]/",
    "http://[100::1]/",
    "http://[::ffff:0:127.0.0.1]/",
]


class TestAddresses:
    @pytest.mark.parametrize("url", LOOPBACKS)
    def test_this_machine_by_any_name(self, stack, site, url):
        refused(look(stack, url.format(port=site.port)))
        assert not site.paths, "it was asked"

    @pytest.mark.parametrize("url", ELSEWHERE)
    @pytest.mark.parametrize("gateway", ["stack", "local"])
    def test_other_places_that_are_not_public(self, request, gateway, url):
        if gateway == "local" and ("127.0.0.1" in url or "7f00" in url):
            pytest.skip("loopback in disguise, which is allowed here")
        error = refused(look(request.getfixturevalue(gateway), url))
        assert "time" not in error["message"].lower(), f"it was tried: {error}"

    def test_the_error_tells_nothing_of_what_is_there(self, stack, site):
        """Or it could be used to look around."""
        there = refused(look(stack, site.url()))["message"]
        with Site() as gone:
            port = gone.port
        nobody = refused(look(stack, f"http://127.0.0.1:{port}/image"))["message"]
        assert there.replace(str(site.port), "") == nobody.replace(str(port), "")


class TestSettings:
    @pytest.fixture
    def fetching(self, stacked):
        return lambda **settings: stacked(
            env=LOOPBACK | {f"OUTCROP_FETCH_{name.upper()}": value for name, value in settings.items()}
        )

    def test_off(self, fetching, site):
        stack = fetching(urls="false")
        refused(look(stack, site.url()))
        assert not site.paths
        assert formats(look(stack, media.data_url(media.GIF))) == ["gif"], "data URLs need no fetching"

    def test_hosts(self, fetching, site):
        stack = fetching(hosts="127.0.0.1,images.example.com")
        assert formats(look(stack, site.url())) == ["png"]
        refused(look(stack, site.url(host="localhost")))
        assert len(site.paths) == 1
        refused(look(stack, site.url(f"/to?url=http://localhost:{site.port}/image")))
        assert len(site.paths) == 2, "on each redirect"

    def test_max_bytes(self, fetching, site):
        stack = fetching(max_bytes="100KiB")
        assert formats(look(stack, site.url("/large?bytes=50000"))) == ["png"]
        refused(look(stack, site.url("/large?bytes=150000")))

    @pytest.mark.parametrize("path", ["/never", "/trickle"])
    def test_timeout(self, fetching, site, path):
        refused(look(fetching(timeout="500ms"), site.url(path)))

    def test_max_redirects(self, fetching, site):
        stack = fetching(max_redirects="2")
        assert formats(look(stack, site.url("/hops?left=2"))) == ["png"]
        refused(look(stack, site.url("/hops?left=3")))

    def test_no_redirects(self, fetching, site):
        stack = fetching(max_redirects="0")
        assert formats(look(stack, site.url())) == ["png"]
        refused(look(stack, site.url("/hops?left=1")))
        assert len(site.paths) == 2

    def test_concurrency(self, fetching, site):
        stack = fetching(concurrency="2")
        urls = [site.url(f"/together?of=2&number={number}") for number in range(8)]
        assert len(formats(look(stack, *urls))) == 8
        assert site.most == 2

    @pytest.mark.parametrize(
        "name, value", [("private_networks", "10.0.0.0/99"), ("private_networks", "somewhere"), ("timeout", "soon")]
    )
    def test_bad_ones_stop_the_start(self, name, value):
        from support.process import run

        ended = run("serve", "--simulate", env={f"OUTCROP_FETCH_{name.upper()}": value}, timeout=20)
        assert ended.returncode != 0 and f"fetch_{name}" in ended.stderr.lower().replace("-", "_"), ended.stderr
