//! Tables: a text, and what is told of each of its rows.

use super::*;

/// One row of a told table a line.
fn shown(name: &str, text: &str) -> String {
    told(name, text.as_bytes()).join("\n")
}

#[test]
fn a_table_is_read_by_its_header_and_bad_rows_cost_only_themselves() {
    let text = r#"Member ID, E-Mail ,Name
1,ada@example.com,Ada Example
2, bob@example.com ,"Bob ""B"" Example"

3,,Carl Example
 ,,
4,no address,Dora Example
5,eve@example.com,Eve,Example
6,fay@example.com,Fay Example,,
7,gil@example.com
8
,hal@example.com,Hal Example
a@b,ida@example.com,Ida Example
9,"joe@example.com,Joe Example
10,"kim@example.com","Kim
Example"
11,lea@example.com,"Lea
12,mia@example.com,Mia Example
13,"john doe"@example.com,John Doe
14,"""john doe""@example.com",John Doe
15,"#;
    insta::assert_snapshot!(shown("m.csv", text), @r#"
    1 ada@example.com
    2 bob@example.com
    5: e-mail address: is empty (3)
    7: e-mail address: has no `@` (4)
    8: the row has 4 columns where the header has 3; quote cells that hold the delimiter
    6 fay@example.com
    7 gil@example.com
    11: the row ends before its e-mail column (8)
    m_dab031e1c249f24b50d3 hal@example.com
    13: the member id holds an `@`: an e-mail address is personal data, and ids appear in logs
    14: a quote that is opened here is never closed
    10 kim@example.com
    17: a quote that is opened here is never closed
    12 mia@example.com
    13 "john doe"@example.com
    14 "john doe"@example.com
    21: the file ends in the middle of this row
    "#);
}

#[test]
fn a_list_is_one_address_a_line() {
    let text = "ada@example.com\n  bob@example.com  \n\n\"carl@example.com\"\n\"dora d\"@example.com,\n\"\"\"eve e\"\"@example.com\"\nfay\ngil, hal\n";
    insta::assert_snapshot!(shown("m.txt", text), @r#"
    m_4387725d7f6ac3db3e97 ada@example.com
    m_9e70694773bdad473708 bob@example.com
    m_efb43e00d5804e20ef55 carl@example.com
    m_7ab0daabbd4ad0b54624 "dora d"@example.com
    m_69cbd095fdbec6d83c4b "eve e"@example.com
    7: e-mail address: has no `@`
    8: e-mail address: has no `@`
    "#);
}

#[test]
fn an_open_quote_in_a_list_costs_its_line() {
    let told = told("m.txt", b"ada@example.com\n\"bob\ncarl@example.com\n");
    assert!(
        told.len() == 3 && told[1].starts_with("2: e-mail address") && told[2].ends_with("carl@example.com")
    );
}

#[test]
fn json_lines_are_objects_with_keys_of_the_same_meaning() {
    let text = r#"{"email": "ada@example.com", "id": "a1"}
{"Email Address": "bob@example.com", "userId": 18446744073709551615, "id": 3, "tags": [{"email": 1}]}

{"e-mail": "carl@example.com", "id": null}
{"mail": "dora@example.com", "uid": " "}
{"email": "eve@example.com", "id": 1.5}
{"email": "eve@example.com", "id": 18446744073709551616}
{"email": "eve@example.com", "id": ["5"]}
{"email": "eve@example.com", "id": "eve@example.com"}
{"email": 5, "id": 6}
{"email": null, "id": 7}
{"id": 8}
"fay@example.com"
[1]
gil@example.com
{"email": "hal@example.com"} {}
{"email": "ida@example.com", "id": 10}
{"email": "joe@exam"#;
    insta::assert_snapshot!(shown("m.jsonl", text), @r#"
    a1 ada@example.com
    18446744073709551615 bob@example.com
    m_efb43e00d5804e20ef55 carl@example.com
    m_d1b47f4f81fd12b72037 dora@example.com
    6: the member id is neither a JSON string nor a whole number below 2^64
    7: the member id is neither a JSON string nor a whole number below 2^64
    8: the member id is neither a JSON string nor a whole number below 2^64
    9: the member id holds an `@`: an e-mail address is personal data, and ids appear in logs
    10: the e-mail address is not a JSON string (6)
    11: e-mail address: is empty (7)
    12: the object has no `email` (8)
    13: the line is not a JSON object
    14: the line is not a JSON object
    15: the line is not valid JSON (column 1)
    16: the line is not valid JSON (column 30)
    10 ida@example.com
    18: the line ends in the middle of its JSON object
    "#);
}

#[test]
fn deep_json_is_refused_and_not_followed() {
    let text = format!("{{\"email\": {}\n{{\"email\": \"ada@example.com\", \"id\": 1}}", "[".repeat(60_000));
    let told = told("m.jsonl", text.as_bytes());
    assert_eq!(told.len(), 2, "{told:?}");
    assert_eq!(told[1], "1 ada@example.com");
}

#[test]
fn bytes_that_are_no_text_cost_their_row_where_they_matter() {
    let table = b"id,email,name\n1,ad\xE9@example.com,x\n\xFF,bob@example.com,x\n3,carl@example.com,Andr\xE9\n4,do\0ra@example.com,x\n5\0,eve@example.com,x\n6,fay@example.com,\0";
    insta::assert_snapshot!(told("m.csv", table).join("\n"), @r#"
    2: the e-mail address is not UTF-8 text (1)
    3: the member id is not UTF-8 text
    3 carl@example.com
    5: the e-mail address holds a NUL byte (4)
    6: the member id holds a NUL byte
    6 fay@example.com
    "#);
    let lines = b"{\"email\": \"ad\xE9@example.com\"}\n{\"email\": \"bob@example.com\", \"id\": 2}\n\0\n";
    insta::assert_snapshot!(told("m.jsonl", lines).join("\n"), @r#"
    1: the line is not valid JSON (column 14)
    2 bob@example.com
    3: the line is not valid JSON (column 1)
    "#);
}

#[test]
fn line_ends_of_all_systems_give_the_same_rows() {
    let text =
        "\u{FEFF}email,id\nada@example.com,1\n\nbob@example.com,\"2\"\nno address,3\ncarl@example.com,4";
    let unix = told("m.csv", text.as_bytes());
    assert_eq!(unix.len(), 4);
    for end in ["\r\n", "\r"] {
        assert_eq!(told("m.csv", text.replace('\n', end).as_bytes()), unix, "{end:?}");
    }
}

#[test]
fn a_stray_quote_that_another_closes_swallows_no_row_between() {
    const OPEN: &str = "2: a quote that is opened here is never closed";
    for (first, last, what) in [
        ("1,ada@example.com,\"x", "3\",carl@example.com", "a column too many"),
        ("1,\"ada", "3\",x", "an address over three lines"),
        ("\"1", "3\",carl@example.com,x", "an id over three lines"),
    ] {
        let text = format!("id,email,note\n{first}\n2,bob@example.com,\n{last}\n");
        assert_eq!(told("m.csv", text.as_bytes())[..2], [OPEN, "2 bob@example.com"], "{what}");
    }
}

#[test]
fn a_quote_is_looked_for_within_ten_lines() {
    let spanning = |lines: usize| {
        format!("id,email,note\n1,ada@example.com,\"{}\"\n2,bob@example.com,\n", "\n".repeat(lines - 1))
    };
    assert_eq!(told("m.csv", spanning(10).as_bytes()), ["1 ada@example.com", "2 bob@example.com"]);
    let told = told("m.csv", spanning(11).as_bytes());
    assert_eq!(told[0], "2: a quote that is opened here is never closed");
    assert_eq!(told.last().unwrap(), "2 bob@example.com");
}

#[test]
fn a_quote_is_looked_for_within_one_line_bound() {
    let half = "x".repeat(MAX_LINE_BYTES / 2);
    let text = format!("id,email,note\n1,ada@example.com,\"{half}\n{half}\"\n2,bob@example.com,\n");
    let told = told("m.csv", text.as_bytes());
    assert_eq!(told[0], "2: a quote that is opened here is never closed");
    assert_eq!(told.last().unwrap(), "2 bob@example.com");
}

#[test]
fn a_file_cut_in_the_middle_loses_its_last_row_only() {
    let text = "email,id,name\nada@example.com,1,Ada\nbob@exam";
    assert_eq!(
        told("m.csv", text.as_bytes()),
        ["1 ada@example.com", "3: the file ends in the middle of this row"]
    );
    // Complete, though the line end is missing.
    assert_eq!(told("m.csv", format!("{text}ple.com,2,").as_bytes())[1], "2 bob@example.com");
}

#[test]
fn one_mailbox_without_an_id_is_one_member_and_no_id_shows_the_address() {
    let told = told("m.csv", b"email\nada@example.com\nADA@Example.COM\nbob@example.com\n");
    let ids: Vec<_> = told.iter().map(|row| row.split(' ').next().unwrap()).collect();
    assert_eq!(ids[0], ids[1]);
    assert_ne!(ids[0], ids[2]);
    let digits = ids[0].strip_prefix("m_").unwrap();
    assert!(digits.len() == 20 && digits.chars().all(|c| c.is_ascii_hexdigit()), "{digits}");
}
