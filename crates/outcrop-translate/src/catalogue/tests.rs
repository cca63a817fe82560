use super::*;

#[test]
fn the_built_in_files_are_sound() {
    assert_eq!(Catalogue::of_files(FILES).map(|_| ()), Ok(()));
}
