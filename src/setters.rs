//! Setters of option structs.

/// Defines for each field of an option struct a method that returns the struct with this field changed. The structs are
/// `#[non_exhaustive]`: other crates can't write them as literals, so a new field doesn't break other crates' code.
/// These methods are how other crates set fields.
macro_rules! setters {
    ($struct:ident { $($setter:ident, $field:ident: $type:ty;)* }) => {
        impl $struct {
            $(
                #[doc = concat!("Returns the same with another [`", stringify!($field), "`](Self::", stringify!($field), ").")]
                #[must_use]
                pub const fn $setter(mut self, $field: $type) -> Self {
                    self.$field = $field;
                    self
                }
            )*
        }
    };
}
pub(crate) use setters;
