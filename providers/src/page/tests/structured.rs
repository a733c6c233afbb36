//! JSON-LD, microdata, `RDFa` and what stands in the head, rule by rule.

use super::told;

fn check_json(cases: &[(&str, &str)]) {
    for (json, expected) in cases {
        let html = format!(r#"<script type="application/ld+json">{json}</script>"#);
        assert_eq!(told(&html), *expected, "{json}");
    }
}

fn check(cases: &[(&str, &str)]) {
    for (html, expected) in cases {
        assert_eq!(told(html), *expected, "{html}");
    }
}

#[test]
fn people_are_found_wherever_the_graph_has_them() {
    let ada = "Ada Example";
    check_json(&[
        (r#"{"@type":"Person","name":"Ada Example"}"#, ada),
        (r#"[{"@type":"Person","name":"Ada Example"}]"#, ada),
        (r#"{"@graph":[{"@type":"WebSite"},{"@type":"Person","name":"Ada Example"}]}"#, ada),
        (r#"{"@type":"ProfilePage","mainEntity":{"@type":"Person","name":"Ada Example"}}"#, ada),
        (r#"{"@type":"Article","author":[{"@type":"Person","name":"Ada Example"}]}"#, ada),
        (r#"{"@type":"AboutPage","about":{"@type":"Person","name":"Ada Example"}}"#, ada),
        (r#"{"@type":"Organization","founder":{"@type":"Person","name":"Ada Example"}}"#, ada),
        (
            r#"{"@type":"Organization","employee":[{"@type":"Person","name":"Ada Example"},{"@type":"Person","name":"Bob Sample"}]}"#,
            "Ada Example & Bob Sample",
        ),
        (r#"{"@type":["Person","Organization"],"name":"Ada Example"}"#, ada),
        (r#"{"@type":"http://schema.org/Person","name":"Ada Example"}"#, ada),
        (r#"{"@type":"https://schema.org/Person","name":"Ada Example"}"#, ada),
        (r#"{"@type":"schema:Person","schema:name":"Ada Example"}"#, ada),
        (r#"{"@type":"https://schema.org/Person","https://schema.org/name":"Ada Example"}"#, ada),
        (r#"{"type":"Person","name":"Ada Example"}"#, ada),
        (r#"{"@type":"foaf:Person","foaf:name":"Ada Example"}"#, ada),
        (r##"{"@graph":[{"@id":"#a","name":"Ada Example"},{"@id":"#a","@type":"Person"}]}"##, ada),
        (r#"{"@type":"SalesPerson","name":"Ada Example"}"#, ""),
        (r#"{"@type":"Organization","name":"Ada Works"}"#, ""),
        (r#"{"name":"Ada Example"}"#, ""),
        (r#"{"@type":"Person"}"#, ""),
        (r#"{"@type":"Person","name":""}"#, ""),
        (r#"{"@type":"Person","name":{"@id":"Ada Example"}}"#, ""),
        (r#""Person""#, ""),
        ("{", ""),
    ]);
}

#[test]
fn names_are_read_in_all_their_shapes() {
    check_json(&[
        (r#"{"@type":"Person","name":["Ada Example","A. E."]}"#, "Ada Example"),
        (r#"{"@type":"Person","name":{"@value":"Ada Example","@language":"en"}}"#, "Ada Example"),
        (r#"{"@type":"Person","name":"Ada O&#39;&#69;xample &Eacute;"}"#, "Ada O'Example É"),
        (r#"{"@type":"Person","name":"Ada \u202eExample\u0007"}"#, "Ada Example"),
        (r#"{"@type":"Person","givenName":"Ada","familyName":"Example"}"#, "given Ada, family Example"),
        (
            r#"{"@type":"Person","givenName":"Ada","additionalName":"M.","familyName":"Example"}"#,
            "Ada M. Example, given Ada, family Example",
        ),
        (
            r#"{"@type":"Person","name":"Ada Example","alternateName":["adaex","AE"]}"#,
            "Ada Example, aka adaex, aka AE",
        ),
    ]);
}

#[test]
fn ways_to_a_person_are_read_in_all_their_shapes() {
    check_json(&[
        (
            r#"{"@type":"Person","name":"Ada Example","email":"ada@example.com"}"#,
            "Ada Example, mail ada@example.com",
        ),
        (
            r#"{"@type":"Person","name":"Ada Example","email":"mailto:ada@example.com"}"#,
            "Ada Example, mail ada@example.com",
        ),
        (
            r#"{"@type":"Person","name":"Ada Example","email":["MAILTO:ada%40example.com","a2@example.com"]}"#,
            "Ada Example, mail ada@example.com, mail a2@example.com",
        ),
        (
            r#"{"@type":"Person","name":"Ada Example","email":"ada(at)example(dot)com"}"#,
            "Ada Example, mail ada@example.com",
        ),
        (
            r#"{"@type":"Person","name":"Ada Example","contactPoint":{"email":"ada@example.com"}}"#,
            "Ada Example, mail ada@example.com",
        ),
        (r#"{"@type":"Person","name":"Ada Example","email":7}"#, "Ada Example"),
        (
            r#"{"@type":"Person","name":"Ada Example","url":"/ada"}"#,
            "Ada Example, link https://example.com/ada",
        ),
        (
            r#"{"@type":"Person","name":"Ada Example","url":{"@id":"/ada"}}"#,
            "Ada Example, link https://example.com/ada",
        ),
        (
            r#"{"@type":"Person","name":"Ada Example","sameAs":"https://a.example.org/"}"#,
            "Ada Example, link https://a.example.org/",
        ),
        (
            r#"{"@type":"Person","name":"Ada Example","sameAs":[null,{},["x"],"/s"],"url":"/u"}"#,
            "Ada Example, link https://example.com/u, link https://example.com/s",
        ),
        (
            r#"{"@type":"Person","name":"Ada Example","sameAs":{"@list":["/s"]}}"#,
            "Ada Example, link https://example.com/s",
        ),
        (
            r#"{"@type":"Person","name":"Ada Example","sameAs":["javascript:alert(1)","ftp://example.org/"]}"#,
            "Ada Example",
        ),
        (
            r#"{"@type":"Person","name":"Ada Example","birthDate":"1987-06-07"}"#,
            "Ada Example, born 1987-06-07",
        ),
        (
            r#"{"@type":"Person","name":"Ada Example","birthDate":{"@type":"Date","@value":"1987"}}"#,
            "Ada Example, born 1987",
        ),
        (
            r#"{"@type":"Person","name":"Ada Example","image":{"@type":"ImageObject","url":"https://gravatar.com/avatar/0123456789abcdef0123456789abcdef"}}"#,
            "Ada Example, hash 0123456789abcdef0123456789abcdef",
        ),
        (
            r#"{"@type":"Person","name":"Ada Example","worksFor":{"@type":"Organization","name":"Ada Works","email":"office@example.com","url":"/w"}}"#,
            "Ada Example",
        ),
        (r#"{"@type":"Person","name":"Ada Example",}"#, "Ada Example"),
        ("//<![CDATA[\n{\"@type\":\"Person\",\"name\":\"Ada Example\"}\n//]]>", "Ada Example"),
        ("{&quot;@type&quot;:&quot;Person&quot;,&quot;name&quot;:&quot;Ada Example&quot;}", "Ada Example"),
    ]);
}

#[test]
fn nodes_are_joined_across_blocks() {
    check(&[
        (
            r##"<script type=application/ld+json>{"@id":"#a","@type":"Person","name":"Ada Example"}</script>
                <script type="Application/LD+JSON; charset=utf-8">{"@type":"Blog","author":{"@id":"#a","birthDate":"1987"}}</script>"##,
            "Ada Example, born 1987",
        ),
        (r#"<script>{"@type":"Person","name":"Ada Example"}</script>"#, ""),
        (r#"<script type=application/json>{"@type":"Person","name":"Ada Example"}</script>"#, ""),
    ]);
}

#[test]
fn microdata_scopes_hold_their_own_properties() {
    let scope = |inner: &str| format!("<div itemscope itemtype=https://schema.org/Person>{inner}</div>");
    for (inner, expected) in [
        ("<b itemprop=name>Ada Example</b>", "Ada Example"),
        ("<meta itemprop=name content='Ada Example'>", "Ada Example"),
        ("<b itemprop='givenName'>Ada</b> <b itemprop=familyName>Example</b>", "given Ada, family Example"),
        ("<b itemprop='name alternateName'>Ada Example</b>", "Ada Example, aka Ada Example"),
        ("<b itemprop=http://schema.org/name>Ada Example</b>", "Ada Example"),
        (
            "<a itemprop=url href=/ada><b itemprop=name>Ada Example</b></a>",
            "Ada Example, link https://example.com/ada",
        ),
        (
            "<b itemprop=name>Ada Example</b><link itemprop=sameAs href=//a.example.org/>",
            "Ada Example, link https://a.example.org/",
        ),
        (
            "<b itemprop=name>Ada Example</b><a itemprop=email href=mailto:ada@example.com>x</a>",
            "Ada Example, mail ada@example.com",
        ),
        (
            "<b itemprop=name>Ada Example</b><i itemprop=email>ada@example.com</i>",
            "Ada Example, mail ada@example.com",
        ),
        (
            "<b itemprop=name>Ada Example</b><time itemprop=birthDate datetime=1987-06-07>x</time>",
            "Ada Example, born 1987-06-07",
        ),
        (
            "<b itemprop=name>Ada Example</b><data itemprop=birthDate value=1987>x</data>",
            "Ada Example, born 1987",
        ),
        (
            "<b itemprop=name>Ada Example</b><i itemprop=worksFor itemscope itemtype=https://schema.org/Organization><b itemprop=name>Works</b><a itemprop=url href=/w>w</a></i>",
            "Ada Example",
        ),
        (
            "<b itemprop=name>Ada Example</b><i itemprop=knows itemscope itemtype=https://schema.org/Person><b itemprop=name>Bob Sample</b></i>",
            "Ada Example & Bob Sample",
        ),
        ("<b itemprop=dc:title>Ada Example</b>", ""),
    ] {
        assert_eq!(told(&scope(inner)), expected, "{inner}");
    }
    check(&[
        (
            "<div itemscope itemtype=http://schema.org/Person itemref='n x'></div><b id=n itemprop=name>Ada Example</b>",
            "Ada Example",
        ),
        (
            "<div itemscope itemtype=http://schema.org/Person itemref=n></div><p id=n>I am <b itemprop=name>Ada Example</b></p>",
            "Ada Example",
        ),
        ("<div itemtype=http://schema.org/Person><b itemprop=name>Ada Example</b></div>", ""),
        ("<div itemscope itemtype=http://schema.org/Organization><b itemprop=name>Ada Works</b></div>", ""),
        ("<div itemscope itemtype=http://example.org/Person><b itemprop=name>Ada Example</b></div>", ""),
    ]);
}

#[test]
fn rdfa_scopes_are_read_with_schema_or_foaf() {
    check(&[
        ("<p vocab=https://schema.org/ typeof=Person><b property=name>Ada Example</b></p>", "Ada Example"),
        (
            "<p typeof=schema:Person><b property=schema:name>Ada Example</b><a property=schema:url href=/ada>x</a></p>",
            "Ada Example, link https://example.com/ada",
        ),
        (
            "<p vocab=http://schema.org/ typeof=Person><b property=name>Ada Example</b><b property=birthDate content=1987>x</b></p>",
            "Ada Example, born 1987",
        ),
        (
            "<p typeof=foaf:Person><b property=foaf:name>Ada Example</b> <a rel=foaf:mbox href=mailto:ada@example.com>x</a> <a rel=foaf:homepage href=/ada>x</a></p>",
            "Ada Example, mail ada@example.com, link https://example.com/ada",
        ),
        (
            "<p typeof=foaf:Person><b property=foaf:name>Ada Example</b><meta property=foaf:mbox_sha1sum content=0123456789abcdef0123456789abcdef01234567></p>",
            "Ada Example, hash 0123456789abcdef0123456789abcdef01234567",
        ),
        ("<p vocab=https://schema.org/ typeof=Person><meta property=og:title content='A Title'></p>", ""),
        (
            "<p vocab=https://schema.org/ typeof=Person><b property=name>Ada Example</b><i property=worksFor typeof=Organization><b property=name>Works</b></i></p>",
            "Ada Example",
        ),
    ]);
}

#[test]
fn heads_tell_of_profiles_and_authors() {
    check(&[
        (
            "<meta property=og:type content=profile><meta property=profile:first_name content=Ada><meta property=profile:last_name content=Example><meta property=profile:username content=adaex>",
            "given Ada, family Example, aka adaex",
        ),
        ("<meta property=og:type content=website><meta property=profile:first_name content=Ada>", ""),
        ("<meta property=og:type content=profile><meta property=og:title content='Ada Example'>", ""),
        ("<meta name=author content='Ada Example'>", "Ada Example"),
        ("<meta name=Author content=' Ada  Example '>", "Ada Example"),
        ("<meta name=author content='Ada Example'><meta name=author content='Bob Sample'>", ""),
        ("<meta name=author content='Bob Sample'><b class=h-card>Ada Example</b>", "Ada Example"),
        ("<title>Ada Example</title>", ""),
    ]);
}

#[test]
fn descriptions_of_one_person_are_united() {
    check(&[
        ("<b class=h-card>Ada Example</b><b class=h-card>Ada Example</b>", "Ada Example"),
        ("<b class=h-card>Ada Example</b><b class=h-card>Bob Sample</b>", "Ada Example & Bob Sample"),
        (
            r#"<b class=h-card>Ada Example</b><script type=application/ld+json>{"@type":"Person","name":"ADA EXAMPLE","birthDate":"1987"}</script>"#,
            "Ada Example, born 1987",
        ),
        (
            r#"<a class=h-card href=/ada>adaex</a><script type=application/ld+json>{"@type":"Person","name":"Ada Example","url":"/ada"}</script>"#,
            "Ada Example, link https://example.com/ada",
        ),
        (
            "<a class=h-card href=/>Ada Example</a><a class=h-card href=/>Bob Sample</a>",
            "Ada Example, link https://example.com/ & Bob Sample, link https://example.com/",
        ),
        (
            "<p class=h-card><b class=p-name>Ada Example</b><i class=u-email>a1@example.com</i></p><p class=h-card><b class=p-name>Ada Example</b><i class=u-email>a2@example.com</i></p>",
            "Ada Example, mail a1@example.com & Ada Example, mail a2@example.com",
        ),
        (
            "<p class=h-card><b class=p-name>Ada Example</b><i class=u-email>office@example.com</i></p><p class=h-card><b class=p-name>Bob Sample</b><i class=u-email>office@example.com</i></p>",
            "Ada Example, mail office@example.com & Bob Sample, mail office@example.com",
        ),
    ]);
}
