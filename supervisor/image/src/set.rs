//! The closed set of a deployment: every image that its lanes may map executable, and no other.
//!
//! It is made of all files at once and has no way to add one. So nothing becomes executable that was
//! not there when the deployment was built, and there is no set of which a part is missing.

use crate::make::{Draft, Image, Key, Refused, Why};
use crate::source::Source;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Images that were made before, by what their files hold. In memory alone: a verdict that was read
/// back from a file would be the file's.
#[derive(Debug, Default)]
pub struct Cache {
    images: BTreeMap<Key, Arc<Image>>,
}

/// The images of a deployment.
#[derive(Debug)]
pub struct ClosedSet {
    images: BTreeMap<Key, Arc<Image>>,
}

impl ClosedSet {
    /// Makes an image of each file, or says for each why not. A file is a name for messages, and its bytes.
    pub fn make<'f, S: Source + 'f>(
        files: impl IntoIterator<Item = (&'f str, &'f S)>,
        cache: &mut Cache,
    ) -> Result<ClosedSet, Vec<Refused>> {
        let (mut images, mut refused) = (BTreeMap::new(), Vec::new());
        for (name, source) in files {
            match image(name, source, cache) {
                Ok(image) => drop(images.insert(*image.key(), image)),
                Err(why) => refused.push(Refused {
                    file: name.to_owned(),
                    why,
                }),
            }
        }
        if refused.is_empty() {
            Ok(ClosedSet { images })
        } else {
            Err(refused)
        }
    }

    /// The image of a file that holds these bytes by their hash.
    pub fn find(&self, key: &Key) -> Option<&Image> {
        self.images.get(key).map(AsRef::as_ref)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.images.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.images.is_empty()
    }
}

fn image(name: &str, source: &impl Source, cache: &mut Cache) -> Result<Arc<Image>, Why> {
    let draft = Draft::read(source)?;
    if let Some(image) = cache.images.get(draft.key()) {
        return Ok(Arc::clone(image));
    }
    let image = Arc::new(draft.seal(name)?);
    cache.images.insert(*image.key(), Arc::clone(&image));
    Ok(image)
}

impl Cache {
    /// Forgets images that no set holds any more.
    pub fn forget(&mut self) {
        self.images.retain(|_, image| Arc::strong_count(image) > 1);
    }
}
