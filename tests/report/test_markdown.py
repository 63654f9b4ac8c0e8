"""Markdown that holds no link, mention, image, HTML or table break of a stranger's, read by GitHub's own parser."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import cmarkgfm
import pytest
from cmarkgfm.cmark import Options
from hypothesis import given

from rollback_guard.gate.verdict import Verdict
from rollback_guard.report.markdown import LIMIT, render_markdown
from rollback_guard.report.visible import visible
from rollback_guard.report.wording import PAGES, WEIGHTY
from tests.report.values import (
    ALL,
    DIRECT,
    HOSTILE,
    IDLE,
    PLAIN,
    POLICY,
    change,
    finding,
    hostile_verdicts,
    outcome,
    steers,
    verdict,
)

GOLDEN = f"""\
## rollback-guard: DENIED

`release/1.4` → `main` (2 rules)

| rule | answer | what |
|---|---|---|
| [RG201]({PAGES}/RG201.md) sign-off-missing | **violated** | `uat`: has 0 of 1 sign-offs |
| `RG201` | **violated** | `qa`: has 0 of 1 sign-offs |
| `RG201` | **violated** | `review`: has 0 of 1 sign-offs |
| [RG101]({PAGES}/RG101.md) direct-commit | **violated** | `commit 0123456789ab`: `"Fix the price"` was made on main \
itself: no other branch contains it |
| [RG105]({PAGES}/RG105.md) evil-merge | could not be judged | git is too old to make merges again |
| [RG107]({PAGES}/RG107.md) unknown-identity | waived | `bot@acme`: is none of the people; note: until tomorrow |

**What to do now**

`RG201`

```
guard sign uat
```

`RG101`

```
git switch -c release/1.5 && git push origin release/1.5
```

`RG105`

```
git --version
```

<details><summary>2 rules hold, 1 does not apply</summary>

- [RG102]({PAGES}/RG102.md) unapproved-route holds; note: over `release/*`
- [RG103]({PAGES}/RG103.md) unauthorised-repository holds
- [RG104]({PAGES}/RG104.md) rewritten-production does not apply

</details>

coverage: partial, not seen: deletions

judged by `rollback-guard.toml` at `abababababab`, as of 2026-11-22T20:00:00Z
"""

TAGS = frozenset(
    ("h2", "h3", "p", "table", "thead", "tbody", "tr", "th", "td", "strong", "code", "pre", "a")
    + ("details", "summary", "ul", "li", "blockquote")
)


class Page(HTMLParser):
    """What a forge would show: the tags, where links lead, the text outside of code, and the blocks of code."""

    def __init__(self, markdown: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.prose = ""
        self.blocks: list[str] = []
        self.comments: list[str] = []
        self._open: list[str] = []
        options = Options.CMARK_OPT_UNSAFE | Options.CMARK_OPT_LIBERAL_HTML_TAG
        self.feed(cmarkgfm.github_flavored_markdown_to_html(markdown, options))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self._open.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]
        if tag == "pre":
            self.blocks.append("")

    def handle_endtag(self, tag: str) -> None:
        self._open.remove(tag)

    def handle_data(self, data: str) -> None:
        if "pre" in self._open:
            self.blocks[-1] += data
        elif "code" not in self._open:
            self.prose += data

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)


def test_a_whole_verdict() -> None:
    text = render_markdown(verdict(change(*ALL, missing=("deletions",))))
    assert text == GOLDEN


def test_several_changes_have_a_total_and_a_heading_each() -> None:
    text = render_markdown(verdict(change(DIRECT), change(PLAIN, source=None), change(IDLE, source=None, head=None)))
    assert text.startswith("## rollback-guard: DENIED\n\n3 changes: 2 denied, 1 allowed\n\n### DENIED\n\n")
    assert "\n### ALLOWED\n\n`222222222222` → `main`\n" in text
    assert "\n### DENIED\n\n`main` (no rule applied)\n" in text
    assert "Nothing is proposed." in render_markdown(verdict())


def test_another_policy_and_no_policy_are_said() -> None:
    loud = render_markdown(verdict(change(PLAIN, policy=POLICY._replace(what_if=True, path="new.toml"))))
    assert "\n> **WHAT IF**: the answer of `new.toml`, not of the policy in force\n" in loud
    assert "**WHAT IF**" in render_markdown(verdict(change(PLAIN, policy=POLICY._replace(what_if=True, path=None))))
    assert "no policy was in force, as of" in render_markdown(verdict(change(policy=POLICY._replace(path=None))))
    assert "judged by `rollback-guard.toml`, as of" in render_markdown(
        verdict(change(policy=POLICY._replace(commit=None)))
    )


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("plain words, (and more).", "plain words, (and more)."),
        ("mallory <m@evil.example>, is new", "mallory `<m@evil.example>`, is new"),
        ("ask @omar @jane now", "ask `@omar @jane` now"),
        ("see https://evil.example or www.evil.example", "see `https://evil.example` or `www.evil.example`"),
        ("closes #12 and GH-12", "closes `#12` and `GH-12`"),
        ("commit deadbeef 1234567 123456", "commit `deadbeef 1234567` 123456"),
        ("a|b", "`a\\x7cb`"),
        ("``` `` x", "```` ``` `` ```` x"),
        ("`", "`` ` ``"),
        ("it's -- so-so -x x-", "it's `--` so-so `-x x-`"),
        (": :smile: ,", "`: :smile`: ,"),
        ("commit 01234567: x.py:3: gone", "commit `01234567`: `x.py:3`: gone"),
        ('"Signed: Jane <j@x>" is, "a" too', '`"Signed: Jane <j@x>"` is, `"a"` too'),
        ('"never closed', '`"never` closed'),
        ('a " alone', 'a `"` alone'),
        ("", ""),
    ],
)
def test_only_plain_words_pass_as_text(message: str, shown: str) -> None:
    text = render_markdown(verdict(change(outcome("RG101", "x", "violated", finding("", message)))))
    assert f"| **violated** | {shown} |\n" in text


def test_remedies_of_the_same_rules_share_a_block() -> None:
    asked = outcome("RG201", "x", "violated", finding("a", remedy="first"), finding("b", remedy="``` second"))
    text = render_markdown(verdict(change(asked, outcome("RG202", "y", "violated", finding(remedy="third")))))
    assert Page(text).blocks == ["first\n``` second\n", "third\n"]


def test_a_fence_is_longer_than_any_run_in_the_remedy() -> None:
    remedy = "x ``` y ````` z"
    text = render_markdown(verdict(change(outcome("RG101", "x", "violated", finding(remedy=remedy)))))
    assert f"\n``````\n{remedy}\n``````\n" in text


def test_what_does_not_fit_is_said() -> None:
    many = outcome("RG101", "x", "violated", *(finding(f"c{n}", "word " * 100, f"fix {n} " * 40) for n in range(300)))
    quiet = [outcome("RG102", "y", "satisfied", notes=("n " * 300,)) for _ in range(40)]
    text = render_markdown(verdict(change(many, *quiet)))
    assert len(text) < LIMIT
    assert re.search(r"\n\| \| \| and \d+ more; `guard check --format json` shows all \|\n", text)
    assert re.search(r"\n\d+ remedies are not shown; `guard check` shows all\.\n", text)
    assert re.search(r"\n- and \d+ more\n\n</details>", text)
    several = render_markdown(verdict(*(change(many) for _ in range(9))))
    assert len(several) < LIMIT
    assert several.endswith("\nCut here: 8 changes are not shown. `guard check --format json` shows all.\n")


def test_one_huge_field_does_not_break_the_limit() -> None:
    huge = "`@|<é" * 20_000
    worst = outcome(huge, huge, "violated", finding(huge, huge, huge), notes=(huge, huge))
    made = verdict(change(worst, target=huge, source=huge, missing=(huge,), policy=POLICY._replace(path=huge)))
    text = render_markdown(made)
    assert len(text) < LIMIT
    assert text.startswith("## rollback-guard: DENIED\n")


@given(hostile_verdicts)
@HOSTILE
def test_a_forge_shows_nothing_of_a_strangers_making(made: Verdict) -> None:
    text = render_markdown(made)
    assert len(text) < LIMIT
    assert steers(text) == []
    page = Page(text)
    assert set(page.tags) <= TAGS
    assert page.comments == []
    assert all(link.startswith(f"{PAGES}/") for link in page.links)
    prose = re.sub(r"[\d-]{10}T[\d:]{8}Z", "", page.prose)
    assert not re.search(r"[@<>`\[\]|\\#_*&]|://|www\.|\b[0-9a-f]{7,40}\b", prose)
    assert page.tags.count("h2") == 1
    assert page.tags.count("h3") == (len(made.changes) if len(made.changes) > 1 else 0)
    outcomes = [one for each in made.changes for one in each.outcomes]
    rows = sum(max(1, len(one.findings)) for one in outcomes if one.answer in WEIGHTY)
    tables = sum(any(one.answer in WEIGHTY for one in each.outcomes) for each in made.changes)
    assert page.tags.count("tr") == rows + tables
    assert page.tags.count("td") == rows * 3


@given(hostile_verdicts)
@HOSTILE
def test_every_remedy_can_be_copied_from_a_block(made: Verdict) -> None:
    lines = [line for block in Page(render_markdown(made)).blocks for line in block.split("\n")]
    for each in made.changes:
        for one in each.outcomes:
            for found in one.findings if one.answer in ("violated", "undetermined") else ():
                assert not found.remedy or visible(found.remedy) in lines


def test_the_parser_would_catch_what_we_forbid() -> None:
    page = Page("hi @x <b>a</b> ![i](http://evil.example) www.evil.example m@evil.example\n\n# h")
    assert {"b", "img", "a", "h1"} <= set(page.tags)
