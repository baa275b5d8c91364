//! Writes HEIF files of coded pictures that come from other HEIF files: grids, thumbnails, crops, and lies.

/// An item of a file.
#[derive(Clone, Default)]
pub struct Item {
    /// Its kind, such as `hvc1` or `grid`.
    pub kind: [u8; 4],
    /// Its bytes.
    pub data: Vec<u8>,
    /// Its properties: whole boxes.
    pub properties: Vec<Vec<u8>>,
    /// What it refers to: the kind of reference, and the numbers of items, counted from 1.
    pub references: Vec<([u8; 4], Vec<u16>)>,
}

/// A file. Items have numbers from 1 on.
#[derive(Clone)]
pub struct Heif {
    /// The items.
    pub items: Vec<Item>,
    /// The number of the item that is shown.
    pub primary: u16,
}

/// Makes a box of a kind and content.
#[must_use]
pub fn boxed(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let length = (8 + content.len()) as u32;
    [&length.to_be_bytes()[..], kind, content].concat()
}

/// Makes a box with version and flags 0.
fn full(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    boxed(kind, &[&[0; 4], content].concat())
}

/// Makes the property that declares a size.
#[must_use]
pub fn size(width: u32, height: u32) -> Vec<u8> {
    full(b"ispe", &[width.to_be_bytes(), height.to_be_bytes()].concat())
}

/// Makes the property that crops a picture to `width * height` around its middle.
#[must_use]
pub fn crop(width: u32, height: u32) -> Vec<u8> {
    let numbers = [width, 1, height, 1, 0, 1, 0, 1];
    boxed(b"clap", &numbers.map(u32::to_be_bytes).concat())
}

/// Takes the coded picture out of a file that has one item only, as an item with its decoder configuration.
///
/// # Panics
/// The file isn't such a file.
#[must_use]
pub fn coded(file: &[u8]) -> Item {
    let content = |kind: &[u8; 4]| {
        let at = file.windows(4).position(|part| part == kind).expect("a file of one picture has this box");
        let length = u32::from_be_bytes(file[at - 4..at].try_into().expect("four bytes")) as usize;
        file[at + 4..at - 4 + length].to_vec()
    };
    Item {
        kind: *b"hvc1",
        data: content(b"mdat"),
        properties: vec![boxed(b"hvcC", &content(b"hvcC"))],
        references: vec![],
    }
}

/// Makes a file that shows a grid of `columns * rows` copies of a coded picture, cut off at `width` and `height`.
#[must_use]
pub fn grid(tile: &Item, [columns, rows]: [u8; 2], width: u32, height: u32) -> Heif {
    let count = u16::from(columns) * u16::from(rows);
    let sides = [width.to_be_bytes(), height.to_be_bytes()].concat();
    let grid = Item {
        kind: *b"grid",
        data: [&[0, 1, rows - 1, columns - 1][..], &sides].concat(),
        properties: vec![size(width, height)],
        references: vec![(*b"dimg", (2..count + 2).collect())],
    };
    let tiles = std::iter::repeat_n(tile.clone(), count.into());
    Heif { items: std::iter::once(grid).chain(tiles).collect(), primary: 1 }
}

impl Heif {
    /// Makes a file of one item.
    #[must_use]
    pub fn of(item: Item) -> Self {
        Self { items: vec![item], primary: 1 }
    }

    /// Writes the file.
    ///
    /// # Panics
    /// There are more than 65,535 items, or more than 127 different properties.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let start = boxed(b"ftyp", b"heic\0\0\0\0mif1heic");
        // The lengths don't depend on the offsets, so the first pass finds out where the data begins.
        let data_at = start.len() + self.catalogue(0).len() + 8;
        let data: Vec<u8> = self.items.iter().flat_map(|item| item.data.clone()).collect();
        [start, self.catalogue(data_at), boxed(b"mdat", &data)].concat()
    }

    fn catalogue(&self, data_at: usize) -> Vec<u8> {
        let count = (self.items.len() as u16).to_be_bytes();
        let (mut infos, mut locations) = (count.to_vec(), vec![0x44, 0]);
        locations.extend(count);
        let mut properties: Vec<&Vec<u8>> = Vec::new();
        let mut associations = u32::from(u16::from_be_bytes(count)).to_be_bytes().to_vec();
        let mut references = Vec::new();
        let mut offset = data_at as u32;
        for (number, item) in (1u16..).zip(&self.items) {
            let number = number.to_be_bytes();
            let info = [&[2, 0, 0, 0][..], &number, &[0, 0], &item.kind, &[0]].concat();
            infos.extend(boxed(b"infe", &info));
            locations.extend([&number[..], &[0, 0, 0, 1]].concat());
            locations.extend([offset.to_be_bytes(), (item.data.len() as u32).to_be_bytes()].concat());
            offset += item.data.len() as u32;
            associations.extend(number);
            associations.push(item.properties.len() as u8);
            for property in &item.properties {
                let known = properties.iter().position(|other| *other == property);
                let place = known.unwrap_or_else(|| {
                    properties.push(property);
                    properties.len() - 1
                });
                assert!(place < 127, "an association has seven bits");
                associations.push(place as u8 + 1);
            }
            for (kind, to) in &item.references {
                let to: Vec<u8> = to.iter().flat_map(|number| number.to_be_bytes()).collect();
                let count = (to.len() as u16 / 2).to_be_bytes();
                references.extend(boxed(kind, &[&number[..], &count, &to].concat()));
            }
        }
        let properties: Vec<u8> = properties.into_iter().flatten().copied().collect();
        let children = [
            full(b"hdlr", b"\0\0\0\0pict\0\0\0\0\0\0\0\0\0\0\0\0\0"),
            full(b"pitm", &self.primary.to_be_bytes()),
            full(b"iinf", &infos),
            full(b"iloc", &locations),
            full(b"iref", &references),
            boxed(b"iprp", &[boxed(b"ipco", &properties), full(b"ipma", &associations)].concat()),
        ];
        full(b"meta", &children.concat())
    }
}
