//! What a full name becomes.

use super::name;

fn check(table: &[(&str, &str)]) {
    for (text, full) in table {
        let parsed = name(text);
        assert_eq!(parsed.full(), *full, "{text:?}");
        assert_eq!((parsed.given(), parsed.family()), (None, None), "never split: {text:?}");
        assert_eq!(name(full), parsed, "settled: {text:?}");
    }
}

#[test]
fn what_is_right_stays() {
    check(&[
        ("Ada Example", "Ada Example"),
        ("Ada", "Ada"),
        ("Jane Marie Doe", "Jane Marie Doe"),
        ("J. R. R. Tolkien", "J. R. R. Tolkien"),
        ("J.R.R. Tolkien", "J.R.R. Tolkien"),
        ("J.R.R.Tolkien", "J.R.R. Tolkien"),
        ("JRR Tolkien", "JRR Tolkien"),
        ("John D. Rockefeller", "John D. Rockefeller"),
        ("McDonald MacLeod", "McDonald MacLeod"),
        ("Ludwig van Beethoven", "Ludwig van Beethoven"),
        ("Vincent Van Gogh", "Vincent Van Gogh"),
        ("LeBron DeVito", "LeBron DeVito"),
        ("Jean DUPONT", "Jean DUPONT"),
        ("bell Hooks", "bell Hooks"),
        ("Ralph de la Vega", "Ralph de la Vega"),
        ("José Ortega y Gasset", "José Ortega y Gasset"),
        ("Jeanne d'Arc", "Jeanne d'Arc"),
        ("Conan O'Brien", "Conan O'Brien"),
        ("Conan O’Brien", "Conan O'Brien"),
        ("Jean-Luc Picard", "Jean-Luc Picard"),
        ("Jean‑Luc Picard", "Jean-Luc Picard"),
        ("Gerard 't Hooft", "Gerard 't Hooft"),
        ("Mary St. John", "Mary St. John"),
        ("Wm. Example", "Wm. Example"),
        ("Jack Ma", "Jack Ma"),
        ("Yo-Yo Ma", "Yo-Yo Ma"),
        ("Steve Jobs", "Steve Jobs"),
        ("Jennifer Null", "Jennifer Null"),
        ("Christopher Guest", "Christopher Guest"),
        ("John Doe", "John Doe"),
        ("Sirhan Sirhan", "Sirhan Sirhan"),
        ("Boutros Boutros-Ghali", "Boutros Boutros-Ghali"),
        ("Karl von und zu Beispiel", "Karl von und zu Beispiel"),
        ("Gal·la Puig", "Gal·la Puig"),
        ("Md Rahman", "Md Rahman"),
    ]);
}

#[test]
fn every_script_stays_in_its_own() {
    check(&[
        ("山田太郎", "山田太郎"),
        ("山田 太郎", "山田 太郎"),
        ("山田　太郎", "山田 太郎"),
        ("ジョン・スミス", "ジョン・スミス"),
        ("김민준", "김민준"),
        ("王小明", "王小明"),
        ("Иван Петрович Сидоров", "Иван Петрович Сидоров"),
        ("иван сидоров", "Иван Сидоров"),
        ("ИВАН СИДОРОВ", "Иван Сидоров"),
        ("محمد بن سلمان", "محمد بن سلمان"),
        ("דוד בן גוריון", "דוד בן גוריון"),
        ("नरेन्द्र मोदी", "नरेन्द्र मोदी"),
        ("தமிழ் செல்வன்", "தமிழ் செல்வன்"),
        ("สมชาย ใจดี", "สมชาย ใจดี"),
        ("Νίκος Παπαδόπουλος", "Νίκος Παπαδόπουλος"),
        ("ΝΙΚΟΣ ΠΑΠΑΔΟΠΟΥΛΟΣ", "Νικος Παπαδοπουλος"),
        ("გიორგი ბერიძე", "გიორგი ბერიძე"),
        ("Nguyễn Thị Minh Khai", "Nguyễn Thị Minh Khai"),
        ("Łukasz Żółć", "Łukasz Żółć"),
        ("Jose\u{301} Garci\u{301}a", "José García"),
        ("İbrahim Çelik", "İbrahim Çelik"),
        ("İBRAHİM ÇELİK", "Ibrahim Çelik"),
    ]);
}

#[test]
fn one_case_gets_capitals() {
    check(&[
        ("ada example", "Ada Example"),
        ("ADA EXAMPLE", "Ada Example"),
        ("ada", "Ada"),
        ("ADA VAN DER BERG", "Ada van der Berg"),
        ("ludwig van beethoven", "Ludwig van Beethoven"),
        ("van morrison", "Van Morrison"),
        ("maria de la cruz", "Maria de la Cruz"),
        ("mohammed bin salman", "Mohammed bin Salman"),
        ("haroun al-rashid", "Haroun al-Rashid"),
        ("conan o'neil", "Conan O'Neil"),
        ("o'neil", "O'Neil"),
        ("jeanne d'arc", "Jeanne d'Arc"),
        ("d'angelo example", "D'Angelo Example"),
        ("ronald mcdonald", "Ronald McDonald"),
        ("RONALD MCDONALD", "Ronald McDonald"),
        ("elle macpherson", "Elle MacPherson"),
        ("emmanuel macron", "Emmanuel Macron"),
        ("joaquim machado", "Joaquim Machado"),
        ("jean-luc picard", "Jean-Luc Picard"),
        ("JEAN-LUC PICARD", "Jean-Luc Picard"),
        ("j. r. r. tolkien", "J. R. R. Tolkien"),
        ("j.r.r. tolkien", "J.R.R. Tolkien"),
        ("J.R.R. TOLKIEN", "J.R.R. Tolkien"),
        ("mary st. john", "Mary St. John"),
        ("sammy davis jr", "Sammy Davis Jr"),
        ("SAMMY DAVIS JR.", "Sammy Davis Jr."),
        ("thurston howell iii", "Thurston Howell III"),
        ("gerard 't hooft", "Gerard 't Hooft"),
        ("john q public", "John Q Public"),
        ("élodie ñandú", "Élodie Ñandú"),
    ]);
}

#[test]
fn what_is_around_a_name_goes() {
    check(&[
        ("  Ada \t Example \n", "Ada Example"),
        ("Ada\u{A0}Example", "Ada Example"),
        ("Ada\u{200B} \u{202E}Example\u{202C}", "Ada Example"),
        ("\u{FEFF}Ada\0Example", "Ada Example"),
        ("Ada Example 🦀", "Ada Example"),
        ("🏳️‍🌈 Ada Example 🇵🇹", "Ada Example"),
        ("👩🏽‍💻Ada Example✨", "Ada Example"),
        ("★ Ada ★ Example ★", "Ada Example"),
        ("Ada Example :verified:", "Ada Example"),
        (":blobcat_heart: Ada :rust: Example", "Ada Example"),
        ("Ada Example™", "Ada Example"),
        ("𝓐𝓭𝓪 𝔼𝕩𝕒𝕞𝕡𝕝𝕖", "Ada Example"),
        ("Ａｄａ Ｅｘａｍｐｌｅ", "Ada Example"),
        ("Ada Example (she/her)", "Ada Example"),
        ("Ada Example (they / them)", "Ada Example"),
        ("Ada Example she/her", "Ada Example"),
        ("Ada Example [she/her]", "Ada Example"),
        ("Ada Example | Rust dev", "Ada Example"),
        ("Ada Example - Rust dev", "Ada Example"),
        ("Ada Example – Rust dev", "Ada Example"),
        ("Ada Example — building things", "Ada Example"),
        ("Ada Example • Lisbon", "Ada Example"),
        ("Ada Example / Rust", "Ada Example"),
        ("Ada Example: Rust dev", "Ada Example"),
        ("Ada Example, Rust dev", "Ada Example"),
        ("Ada Example, Engineer", "Ada Example"),
        ("| Ada Example |", "Ada Example"),
        ("Robert \"Bob\" Smith", "Robert Smith"),
        ("Robert “Bob” Smith", "Robert Smith"),
        ("Robert 'Bob' Smith", "Robert Smith"),
        ("Robert (Bob) Smith", "Robert Smith"),
        ("\"Ada Example\"", "Ada Example"),
        ("'Ada Example'", "Ada Example"),
        ("(Ada Example)", "Ada Example"),
        ("Ada Example (formerly Sample", "Ada Example"),
        ("Ada Example <3", "Ada Example"),
        ("<b>Ada</b> Example", "Ada Example"),
        ("Ada Example.", "Ada Example"),
        ("Ada Example!!!", "Ada Example"),
        ("=Ada Example", "Ada Example"),
        ("+-Ada Example", "Ada Example"),
        ("@Ada Example", "Ada Example"),
        ("kimberly kimberly patton", "Kimberly Patton"),
        ("Jane Doe Jane Doe", "Jane Doe"),
        ("jane doe doe", "Jane Doe"),
    ]);
}

#[test]
fn titles_and_degrees_go_and_generations_stay() {
    check(&[
        ("Dr. Ada Example", "Ada Example"),
        ("dr ada example", "Ada Example"),
        ("Dr.Ada Example", "Ada Example"),
        ("Prof. Dr. med. habil. Ada Example", "Ada Example"),
        ("Prof. Dr.-Ing. Ada Example", "Ada Example"),
        ("Mr John Doe", "John Doe"),
        ("Mrs. Jane Doe", "Jane Doe"),
        ("Ms Jane Doe", "Jane Doe"),
        ("Herr Max Muster", "Max Muster"),
        ("Frau Dr. Erika Muster", "Erika Muster"),
        ("Sir Arthur Example", "Arthur Example"),
        ("Dame Judi Example", "Judi Example"),
        ("Rev. John Doe", "John Doe"),
        ("Fr. John Doe", "John Doe"),
        ("Sra. María Pérez", "María Pérez"),
        ("Jane Doe PhD", "Jane Doe"),
        ("Jane Doe, PhD", "Jane Doe"),
        ("Jane Doe, Ph.D.", "Jane Doe"),
        ("Jane Doe, MD, PhD", "Jane Doe"),
        ("Jane Doe, M.A.", "Jane Doe"),
        ("Jane Doe MBA", "Jane Doe"),
        ("Jane Doe Esq.", "Jane Doe"),
        ("Jane Doe MA", "Jane Doe"),
        ("Dr. Jane Doe MBA, CISSP", "Jane Doe"),
        ("Martin Luther King Jr.", "Martin Luther King Jr."),
        ("Martin Luther King, Jr.", "Martin Luther King Jr."),
        ("Rev. Dr. Martin Luther King, Jr., PhD", "Martin Luther King Jr."),
        ("Thurston Howell III", "Thurston Howell III"),
        ("John Smith 3rd", "John Smith 3rd"),
    ]);
}

#[test]
fn a_comma_tells_family_and_given_apart() {
    let table: &[(&str, &str, &str, &str)] = &[
        ("Doe, Jane", "Jane Doe", "Jane", "Doe"),
        ("DOE, JANE", "Jane Doe", "Jane", "Doe"),
        ("doe, jane", "Jane Doe", "Jane", "Doe"),
        ("Doe,Jane", "Jane Doe", "Jane", "Doe"),
        ("Doe, J.", "J. Doe", "J.", "Doe"),
        ("Doe, Ed", "Ed Doe", "Ed", "Doe"),
        ("DOE, ED", "Ed Doe", "Ed", "Doe"),
        ("Rahman, Md", "Md Rahman", "Md", "Rahman"),
        ("Ma, Jack", "Jack Ma", "Jack", "Ma"),
        ("Ma, Jack, MA", "Jack Ma", "Jack", "Ma"),
        ("Doe, Jane M.", "Jane M. Doe", "Jane M.", "Doe"),
        ("Doe, Jane, PhD", "Jane Doe", "Jane", "Doe"),
        ("Doe, Dr. Jane", "Jane Doe", "Jane", "Doe"),
        ("Doe PhD, Jane", "Jane Doe", "Jane", "Doe"),
        ("King Jr., Martin Luther", "Martin Luther King Jr.", "Martin Luther", "King"),
        ("King, Martin Luther, Jr.", "Martin Luther King Jr.", "Martin Luther", "King"),
        ("García Márquez, Gabriel", "Gabriel García Márquez", "Gabriel", "García Márquez"),
        ("van der Berg, Ada", "Ada van der Berg", "Ada", "van der Berg"),
        ("VAN DER BERG, ADA", "Ada van der Berg", "Ada", "van der Berg"),
        ("Beethoven, Ludwig van", "Ludwig van Beethoven", "Ludwig van", "Beethoven"),
        ("Doe, Jane (she/her)", "Jane Doe", "Jane", "Doe"),
        ("Петров، Иван", "Иван Петров", "Иван", "Петров"),
    ];
    for (text, full, given, family) in table {
        let parsed = name(text);
        let told = (parsed.full(), parsed.given(), parsed.family());
        assert_eq!(told, (*full, Some(*given), Some(*family)), "{text:?}");
    }
}

#[test]
fn what_software_did_is_undone() {
    check(&[
        ("JosÃ© GarcÃ\u{AD}a", "José García"),
        ("Ã‰lise Example", "Élise Example"),
        ("Oâ€™Neil Example", "O'Neil Example"),
        ("JOÃO Example", "JOÃO Example"),
        ("Ada O&#39;Neil", "Ada O'Neil"),
        ("Jos&eacute; Garc&iacute;a", "José García"),
        ("J&#xFC;rgen M&uuml;ller", "Jürgen Müller"),
        ("Bj&oslash;rn &Aring;sen", "Bjørn Åsen"),
        ("Jane null", "Jane"),
        ("null Doe", "Doe"),
        ("Jane Null", "Jane Null"),
        ("FNU Doe", "Doe"),
        ("Jane N/A", "Jane"),
        ("Jane Doe 2", "Jane Doe"),
        ("jane doe 99", "Jane Doe"),
    ]);
}

#[test]
fn what_follows_a_name_goes() {
    check(&[
        ("Jane Doe née Smith", "Jane Doe"),
        ("Jane Doe nee Smith", "Jane Doe"),
        ("Jane Nee", "Jane Nee"),
        ("Jane Doe at Example", "Jane Doe"),
        ("Jane from Example", "Jane"),
        ("Jane Doe via LinkedIn", "Jane Doe"),
        ("Jane Doe is hiring", "Jane Doe"),
        ("Jane Doe #opentowork", "Jane Doe"),
        ("Jane Doe, Software Engineer", "Jane Doe"),
        ("Jane Doe, Director of Marketing", "Jane Doe"),
        ("Ing. Jan Novák, CSc.", "Jan Novák"),
        ("Jane Doe Ph. D.", "Jane Doe"),
        ("Adv. Jane Doe", "Jane Doe"),
        ("Sgt Jane Doe", "Jane Doe"),
    ]);
}
