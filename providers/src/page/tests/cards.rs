//! Microformats, rule by rule.

use super::told;

fn check(cases: &[(&str, &str)]) {
    for (html, expected) in cases {
        assert_eq!(told(html), *expected, "{html}");
    }
}

#[test]
fn text_properties_are_read_by_attribute_pattern_and_text() {
    check(&[
        (r#"<p class="h-card"><b class="p-name">Ada Example</b></p>"#, "Ada Example"),
        ("<p class=h-card><b class=p-name>  Ada\n  <i>Ex</i>ample </b></p>", "Ada Example"),
        ("<p class=h-card><b class=p-name>Ada<br>Example</b></p>", "Ada Example"),
        ("<div class=h-card><div class=p-name><div>Ada</div><div>Example</div></div></div>", "Ada Example"),
        ("<p class=h-card><abbr class=p-name title='Ada Example'>AE</abbr></p>", "Ada Example"),
        ("<p class=h-card><data class=p-name value='Ada Example'>AE</data></p>", "Ada Example"),
        ("<p class=h-card><input class=p-name value='Ada Example'></p>", "Ada Example"),
        ("<p class=h-card><img class=p-name alt='Ada Example' src=a.png></p>", "Ada Example"),
        ("<p class=h-card><area class=p-name alt='Ada Example'></p>", "Ada Example"),
        ("<p class=h-card><link class=p-name title='Ada Example'></p>", "Ada Example"),
        ("<p class=h-card><b class=p-name><img alt=Ada src=a.png> Example</b></p>", "Ada Example"),
        (
            "<p class=h-card><b class=p-name>Ada<script>alert(1)</script><style>b{}</style> Example</b></p>",
            "Ada Example",
        ),
        ("<p class=h-card><b class=p-name>Ada<template>Bob</template> Example</b></p>", "Ada Example"),
        (
            "<p class=h-card><template class=p-name>Bob Sample</template><b class=p-name>Ada Example</b></p>",
            "Ada Example",
        ),
        ("<p class=h-card><b class=p-name>Ada Ex&shy;ample-O&#39;Brien</b></p>", "Ada Ex\u{ad}ample-O'Brien"),
        ("<p class=h-card><b class=p-name>Ada \u{202e}Example\u{7}</b></p>", "Ada Example"),
        ("<p class=h-card><b class=p-name></b><b class=p-name>Ada Example</b></p>", "Ada Example"),
        (
            "<p class=h-card><b class=p-name>x <i class=value>Ada</i> y <i class=value> Example</i></b></p>",
            "AdaExample",
        ),
        ("<p class=h-card><b class=p-name>x <u>y <i class=value>Ada Example</i></u></b></p>", "Ada Example"),
        (
            "<p class=h-card><b class=p-name><i class=value-title title='Ada Example'> </i>AE</b></p>",
            "Ada Example",
        ),
        (
            "<p class=h-card><b class=p-name><abbr class=value title='Ada Example'>AE</abbr></b></p>",
            "Ada Example",
        ),
        (
            "<p class=h-card><b class=p-name>Ada Example <i class=p-note><u class=value>no</u></i></b></p>",
            "Ada Example no",
        ),
        ("<p class='h-card'><b class=P-Name>Bob Sample</b></p>", "Bob Sample"),
        ("<p class=H-Card><b class=p-name>Ada Example</b></p>", ""),
        ("<p class='h-card-x2'><b class=p-name>Ada Example</b></p>", ""),
        ("<p class='card h-card wide'><b class='big p-name'>Ada Example</b></p>", "Ada Example"),
        ("<html class=h-card><b class=p-name>Ada Example</b>", "Ada Example"),
        (
            "<p class=h-card><b class=p-given-name>Ada</b> <b class=p-family-name>Example</b></p>",
            "given Ada, family Example",
        ),
        (
            "<p class=h-card><b class=p-given-name>Ada</b> <b class=p-additional-name>Maria</b> <b class=p-family-name>Example</b></p>",
            "Ada Maria Example, given Ada, family Example",
        ),
        (
            "<p class=h-card><b class=p-name>Ada Example</b> <i class=p-nickname>adaex</i></p>",
            "Ada Example, aka adaex",
        ),
    ]);
}

#[test]
fn link_properties_are_absolute() {
    for (inner, expected) in [
        ("<a class=u-url href=/ada>a</a>", "https://example.com/ada"),
        ("<a class=u-url href=me>a</a>", "https://example.com/about/me"),
        ("<a class=u-url href=''>a</a>", "https://example.com/about/"),
        ("<base href=/x/><a class=u-url href=me>a</a>", "https://example.com/x/me"),
        ("<base target=_top><base href=/x/><a class=u-url href=me>a</a>", "https://example.com/x/me"),
        ("<base href='data:,x'><a class=u-url href=me>a</a>", "https://example.com/about/me"),
        ("<area class=u-url href=//a.example.org>", "https://a.example.org/"),
        ("<link class=u-uid href=/ada>", "https://example.com/ada"),
        ("<object class=u-url data=/ada></object>", "https://example.com/ada"),
        ("<iframe class=u-url src=/ada></iframe>", "https://example.com/ada"),
        ("<video class=u-url poster=/ada></video>", "https://example.com/ada"),
        ("<i class=u-url>https://a.example.org/</i>", "https://a.example.org/"),
        ("<data class=u-url value=/ada>x</data>", "https://example.com/ada"),
        ("<abbr class=u-url title=/ada>x</abbr>", "https://example.com/ada"),
        ("<i class=u-url>x <b class=value>/ada</b></i>", "https://example.com/ada"),
        ("<a class='u-url u-uid' href=/ada>Ada Example</a>", "https://example.com/ada"),
        ("<a rel='nofollow me' href=/ada>x</a>", "https://example.com/ada"),
    ] {
        let card = format!("<p class=h-card><b class=p-name>Ada Example</b>{inner}</p>");
        assert_eq!(told(&card), format!("Ada Example, link {expected}"), "{inner}");
    }
}

#[test]
fn links_that_lead_elsewhere_than_the_web_are_dropped() {
    let long = format!("https://example.org/{}", "a".repeat(3000));
    for href in
        ["javascript:alert(1)", "data:text/html,x", "tel:+1", "https://a:b@example.org/", "http://[", &long]
    {
        let card =
            format!("<p class=h-card><b class=p-name>Ada Example</b><a class=u-url href='{href}'>x</a></p>");
        assert_eq!(told(&card), "Ada Example", "{href}");
    }
}

#[test]
fn addresses_and_their_hashes_are_found_in_the_card() {
    check(&[
        (
            "<p class=h-card><b class=p-name>Ada Example</b> <a class=u-email href=mailto:ada@example.com>x</a></p>",
            "Ada Example, mail ada@example.com",
        ),
        (
            "<p class=h-card><b class=p-name>Ada Example</b> <i class=u-email>ada@example.com</i></p>",
            "Ada Example, mail ada@example.com",
        ),
        (
            "<p class=h-card><b class=p-name>Ada Example</b> <i class=p-email>ada [at] example [dot] com</i></p>",
            "Ada Example, mail ada@example.com",
        ),
        (
            "<p class=h-card><b class=p-name>Ada Example</b> <a class=u-email href='mailto:ada%40example.com?subject=x'>x</a></p>",
            "Ada Example, mail ada@example.com",
        ),
        (
            "<p class=h-card><b class=p-name>Ada Example</b> <a class=u-email href='&#109;ailto:ad&#97;@example.com'>x</a></p>",
            "Ada Example, mail ada@example.com",
        ),
        (
            "<p class=h-card><b class=p-name>Ada Example</b> <a class=u-url href=mailto:ada@example.com>x</a></p>",
            "Ada Example, mail ada@example.com",
        ),
        (
            "<p class=h-card><b class=p-name>Ada Example</b> <a href=mailto:ada@example.com>x</a></p>",
            "Ada Example, mail ada@example.com",
        ),
        (
            "<p class=h-card><b class=p-name>Ada Example</b> <a href=mailto:ada@example.com>x</a> <a href=mailto:bob@example.com>x</a></p>",
            "Ada Example",
        ),
        (
            "<p class=h-card><b class=p-name>Ada Example</b> <a class=u-email href=mailto:ada@example.com>x</a> <a href=mailto:bob@example.com>x</a></p>",
            "Ada Example, mail ada@example.com",
        ),
        (
            "<p class=h-card><b class=p-name>Ada Example</b> <i>ada [at] example [dot] com</i></p>",
            "Ada Example",
        ),
        (
            "<p class=h-card><b class=p-name>Ada Example</b> <span class=u-email><a href=/cdn-cgi/l/email-protection class=__cf_email__ data-cfemail=4f2e2b2e0f2a372e223f232a612c2022>[email&#160;protected]</a></span></p>",
            "Ada Example, mail ada@example.com",
        ),
        (
            "<p class=h-card><b class=p-name>Ada Example</b> <a class=u-email href=/cdn-cgi/l/email-protection#4f2e2b2e0f2a372e223f232a612c2022>x</a></p>",
            "Ada Example, mail ada@example.com",
        ),
        (
            "<p class=h-card><b class=p-name>Ada Example</b> <img class=u-photo src=//www.gravatar.com/avatar/0123456789ABCDEF0123456789abcdef?s=9></p>",
            "Ada Example, hash 0123456789abcdef0123456789abcdef",
        ),
        (
            "<p class=h-card data-email-hash=0123456789abcdef0123456789abcdef><b class=p-name>Ada Example</b></p>",
            "Ada Example, hash 0123456789abcdef0123456789abcdef",
        ),
    ]);
}

#[test]
fn dates_are_read_from_machine_attributes_first() {
    let card = |bday: &str| told(&format!("<div class=h-card><b class=p-name>Ada Example</b> {bday}</div>"));
    for (bday, expected) in [
        ("<time class=dt-bday datetime=1987-06-07>7 June</time>", "1987-06-07"),
        ("<time class=dt-bday>1987-06-07</time>", "1987-06-07"),
        ("<ins class=dt-bday datetime=1987>x</ins>", "1987"),
        ("<abbr class=dt-bday title=1987-06-07>7 June</abbr>", "1987-06-07"),
        ("<data class=dt-bday value=1987-06>June</data>", "1987-06"),
        ("<i class=dt-bday>--06-07</i>", "--06-07"),
        ("<i class=dt-bday><b class=value>12:00</b> on <b class=value>1987-06-07</b></i>", "1987-06-07"),
        ("<i class=dt-bday><b class=value-title title=1987-06-07></b>a day in June</i>", "1987-06-07"),
        ("<i class=dt-bday>born <time class=value datetime=1987-06-07>then</time></i>", "1987-06-07"),
    ] {
        assert_eq!(card(bday), format!("Ada Example, born {expected}"), "{bday}");
    }
}

#[test]
fn cards_without_properties_speak_by_their_shape() {
    check(&[
        ("<b class=h-card>Ada Example</b>", "Ada Example"),
        ("<a class=h-card href=/ada>Ada Example</a>", "Ada Example, link https://example.com/ada"),
        ("<img class=h-card alt='Ada Example' src=a.png>", "Ada Example"),
        ("<area class=h-card alt='Ada Example' href=/ada>", "Ada Example, link https://example.com/ada"),
        ("<abbr class=h-card title='Ada Example'>AE</abbr>", "Ada Example"),
        (
            "<a class=h-card href=/ada><img alt='Ada Example' src=a.png></a>",
            "Ada Example, link https://example.com/ada",
        ),
        ("<p class=h-card><abbr title='Ada Example'>AE</abbr></p>", "Ada Example"),
        ("<p class=h-card><b><img alt='Ada Example'></b></p>", "Ada Example"),
        ("<p class=h-card><img alt=''>Ada Example</p>", "Ada Example"),
        ("<p class=h-card><img alt=Ada src=a.png> <b>Example</b></p>", "Ada Example"),
        ("<p class=h-card><img src=a.png> Ada Example</p>", "Ada Example"),
        ("<p class=h-card><a href=/ada>Ada Example</a></p>", "Ada Example, link https://example.com/ada"),
        (
            "<p class=h-card><b><a href=/ada>Ada Example</a></b></p>",
            "Ada Example, link https://example.com/ada",
        ),
        ("<p class=h-card><a href=/a>Ada</a> <a href=/b>Example</a></p>", "Ada Example"),
        ("<p class=h-card><a href=/ada>Ada</a> Example <i class=u-photo></i></p>", "Ada Example"),
        ("<p class=h-card>Ada Example <i class=p-note>x</i></p>", ""),
        ("<p class=h-card>Ada Example <i class=e-note>x</i></p>", ""),
        ("<p class=h-card>Ada Example <i class=h-geo>x</i></p>", ""),
    ]);
}

#[test]
fn nested_items_keep_what_is_theirs() {
    check(&[
        (
            "<div class=h-card><b class=p-name>Ada Example</b> <div class='p-org h-card'><a class='p-name u-url' href=//works.example.org/>Example Works</a></div></div>",
            "Ada Example",
        ),
        (
            "<div class=h-entry><b class=p-name>A Post</b> <a class='p-author h-card' href=/ada>Ada Example</a></div>",
            "Ada Example, link https://example.com/ada",
        ),
        (
            "<div class=h-feed><div class=h-entry><i class='u-author h-card'><b class=p-name>Ada Example</b></i></div></div>",
            "Ada Example",
        ),
        (
            "<div class=h-card><b class=p-name>Ada Example</b> <div class=h-card><b class=p-name>Bob Sample</b></div></div>",
            "Ada Example & Bob Sample",
        ),
        ("<div class=h-card><div class='p-name h-card'>Ada Example</div></div>", "Ada Example"),
        ("<div class='h-card h-org'><b class=p-name>Ada Works</b></div>", ""),
        ("<p class=h-card><b class='p-name p-org'>Ada Works</b></p>", ""),
        (
            "<p class=h-card><b class=p-org>Ada Works</b> <a class=u-email href=mailto:ada@example.com>x</a></p>",
            "",
        ),
        ("<p class=h-card><b class=p-name>Ada Example</b>, <b class=p-org>Ada Works</b></p>", "Ada Example"),
        ("<div class=h-event><b class='p-location h-card'>Ada Hall</b></div>", ""),
    ]);
}

#[test]
fn the_first_generation_is_read_by_its_own_names() {
    check(&[
        ("<p class=vcard><b class=fn>Ada Example</b></p>", "Ada Example"),
        (
            "<p class=vcard><a class='fn url' href=/ada>Ada Example</a></p>",
            "Ada Example, link https://example.com/ada",
        ),
        (
            "<p class=vcard><b class='fn n'><i class=given-name>Ada</i> <i class=family-name>Example</i></b> <i class=nickname>adaex</i></p>",
            "Ada Example, given Ada, family Example, aka adaex",
        ),
        (
            "<p class=vcard><b class=fn>Ada Example</b> <a class=email href=mailto:ada@example.com>x</a></p>",
            "Ada Example, mail ada@example.com",
        ),
        (
            "<p class=vcard><b class=fn>Ada Example</b> <a class=email href=mailto:no>x <i class=type>home</i></a></p>",
            "Ada Example",
        ),
        (
            "<p class=vcard><b class=fn>Ada Example</b> <abbr class=bday title=1987-06-07>7 June</abbr></p>",
            "Ada Example, born 1987-06-07",
        ),
        ("<p class=vcard><b class='fn org'>Ada Works</b></p>", ""),
        (
            "<p class=vcard><b class=fn>Ada Works</b> <b class=org><i class=organization-name>Ada Works</i></b></p>",
            "",
        ),
        ("<p class=vcard>Ada Example</p>", ""),
        ("<p class=vcard><b class=p-name>Ada Example</b></p>", ""),
        ("<p class=h-card><b class=fn>Ada</b><b class=p-name>Ada Example</b></p>", "Ada Example"),
        ("<p class='h-card vcard'><b class='fn p-name'>Ada Example</b></p>", "Ada Example"),
        ("<div class=hentry><b class='author vcard'><i class=fn>Ada Example</i></b></div>", "Ada Example"),
    ]);
}
