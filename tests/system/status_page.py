#!/usr/bin/python3
"""Looks at the status page in a real Chromium, as it is told on standard input.

usage: status_page.py PROFILE_DIR

Each line is a command and its arguments, separated by tabs; the answer is one line: "ok", or what is not so. What is
looked for is awaited for some seconds, since the page asks for news on its own.
"""
import os
import re
import signal
import sys
import time

from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

PATIENCE_S = 60

FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --lang=en"
).split()

# The worst contrast of the text that is seen, with the text; a background is that of the nearest ancestor that has one,
# and what is not opaque lets the page's shine through.
CONTRAST = """
const parse = (text) => text.match(/[\\d.]+/g).map(Number);
const light = ([r, g, b]) => [r, g, b].map((c) => c / 255)
    .map((c) => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
function ground(node) {
    for (; node; node = node.parentElement) {
        const colour = parse(getComputedStyle(node).backgroundColor);
        if (colour.length < 4 || colour[3] > 0)
            return colour;
    }
    return [255, 255, 255];
}
function opacity(node) {
    let all = 1;
    for (; node; node = node.parentElement)
        all *= Number(getComputedStyle(node).opacity);
    return all;
}
const paper = ground(document.body);
const seen = (colour, share) => light([0, 1, 2].map((i) => colour[i] * share + paper[i] * (1 - share)));
let worst = [99, ""];
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
    const node = walker.currentNode, parent = node.parentElement;
    if (!node.data.trim() || !parent.checkVisibility() || parent.closest("script, style, noscript, svg, .skip"))
        continue;
    const share = opacity(parent);
    const [a, b] = [seen(parse(getComputedStyle(parent).color), share), seen(ground(parent), share)];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < worst[0])
        worst = [ratio, node.data.trim()];
}
return worst;
"""


class NotSo(Exception):
    """What was to be seen is not."""


def start(profile):
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for flag in FLAGS:
        options.add_argument(flag)
    options.add_argument(f"--user-data-dir={profile}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    options.set_capability("unhandledPromptBehavior", "ignore")
    return webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)


def texts(browser, selector):
    """The text of each element that is seen."""
    script = "return [...document.querySelectorAll(arguments[0])].filter((e) => e.checkVisibility()).map((e) => e.innerText)"
    return browser.execute_script(script, selector)


def await_that(holds, found):
    end = time.monotonic() + PATIENCE_S
    while not holds():
        if time.monotonic() > end:
            raise NotSo(found())
        time.sleep(0.1)


def do_open(browser, url):
    browser.get("about:blank")  # a fragment alone would be no new page
    browser.get(url)


def do_title(browser, pattern):
    await_that(lambda: re.search(pattern, browser.title), lambda: f"the title is {browser.title!r}")


def do_shows(browser, selector, pattern):
    """One of these elements has such a text."""
    await_that(
        lambda: any(re.search(pattern, text) for text in texts(browser, selector)),
        lambda: f"{selector} shows {texts(browser, selector)!r}"[:600],
    )


def do_shows_not(browser, selector, pattern):
    await_that(
        lambda: not any(re.search(pattern, text) for text in texts(browser, selector)),
        lambda: f"{selector} shows {texts(browser, selector)!r}"[:600],
    )


def do_count(browser, selector, number):
    """So many of these elements are seen."""
    await_that(
        lambda: len(texts(browser, selector)) == int(number),
        lambda: f"there are {len(texts(browser, selector))} {selector}",
    )


def do_none(browser, selector):
    """No such element has been made, seen or not."""
    found = browser.find_elements(By.CSS_SELECTOR, selector)
    if found:
        raise NotSo(f"there are {len(found)}: {found[0].get_attribute('outerHTML')[:200]}")


def do_type(browser, text):
    """Whatever has the focus gets it."""
    browser.switch_to.active_element.send_keys(text)


def do_press(browser, key):
    browser.switch_to.active_element.send_keys(getattr(Keys, key, key))


def do_click(browser, selector):
    browser.find_element(By.CSS_SELECTOR, selector).click()


def do_holds(browser, script):
    """An expression of JavaScript is true, sooner or later."""
    await_that(lambda: browser.execute_script(f"return Boolean({script})"), lambda: f"not so: {script}")


def do_run(browser, script):
    browser.execute_script(script)


def do_next_news(browser):
    """What is shown is from a later time than now."""
    then = texts(browser, "#asof")
    await_that(lambda: texts(browser, "#asof") != then, lambda: f"it still shows {then}")


def do_scheme(browser, scheme):
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


def do_size(browser, width, height):
    metrics = {"width": int(width), "height": int(height), "deviceScaleFactor": 1, "mobile": int(width) < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


def do_fits(browser):
    """The page does not scroll sideways, and nothing that is seen stands out of it but within a box that scrolls."""
    wide = browser.execute_script(
        """const room = document.documentElement.clientWidth;
        return [document.documentElement.scrollWidth, room, [...document.querySelectorAll("body *")]
            .filter((e) => e.checkVisibility() && !e.closest(".box, .skip, svg") && e.getBoundingClientRect().right > room + 0.5)
            .map((e) => e.outerHTML.slice(0, 80))]"""
    )
    if wide[0] > wide[1] or wide[2]:
        raise NotSo(f"{wide[0]} pixels in {wide[1]}, and {wide[2]}")


def do_contrast(browser):
    ratio, text = browser.execute_script(CONTRAST)
    if ratio < 4.5:
        raise NotSo(f"{ratio:.2f} for {text!r}")


def do_no_dialog(browser):
    try:
        said = browser.switch_to.alert.text
    except WebDriverException:
        return
    raise NotSo(f"there is one: {said}")


def do_console_is_empty(browser):
    lines = [f"{entry['level']} {entry['message']}" for entry in browser.get_log("browser")]
    if lines:
        raise NotSo("; ".join(lines)[:600])


def do_forget_console(browser):
    browser.get_log("browser")


def do_picture(browser, path):
    if not browser.save_screenshot(path):
        raise NotSo(f"{path} cannot be written")


def answer(browser, line):
    name, *arguments = line.rstrip("\n").split("\t")
    try:
        globals()[f"do_{name}"](browser, *arguments)
    except NotSo as found:
        return str(found)
    except WebDriverException as trouble:
        return f"{type(trouble).__name__}: {trouble.msg}"
    return "ok"


def on_signal(*_):
    sys.exit(0)


def main():
    signal.signal(signal.SIGTERM, on_signal)
    os.makedirs(sys.argv[1])
    browser = start(sys.argv[1])
    try:
        print("ok", flush=True)
        for line in sys.stdin:
            print(answer(browser, line).replace("\n", " "), flush=True)
    finally:
        browser.quit()


main()
