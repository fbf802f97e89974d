//! Compiled kernels: one for each shader and set of constants, made at first use and kept.

use crate::adapter::{Adapter, Options};
use crate::cache::Cache;
use crate::keys::FastMap;
use crate::shader::Shader;
use std::collections::HashMap;

/// Values of a shader's `override` constants, by name.
pub type Constants<'a> = &'a [(&'static str, f64)];

/// [`Constants`] that can be kept and compared.
type Key = Vec<(&'static str, u64)>;

#[derive(Debug)]
struct Made {
    key: Key,
    raw: wgpu::ComputePipeline,
    layout: usize,
}

/// Every kernel compiled so far.
#[derive(Debug)]
pub struct Pipelines {
    device: wgpu::Device,
    checked: bool,
    /// By number of bindings and those that are only read.
    groups: Vec<((u32, u32), wgpu::BindGroupLayout)>,
    layouts: HashMap<(usize, u32), wgpu::PipelineLayout>,
    modules: HashMap<usize, wgpu::ShaderModule>,
    /// By shader, the positions of its pipelines in `all`.
    made: FastMap<usize, Vec<usize>>,
    all: Vec<Made>,
    cache: Option<Cache>,
}

impl Pipelines {
    /// None so far. With `options.validation`, kernels check every index.
    pub fn new(adapter: &Adapter, options: &Options) -> Pipelines {
        let device = adapter.device.clone();
        Pipelines {
            checked: options.validation,
            cache: options.cache_dir.as_deref().and_then(|directory| Cache::open(adapter, directory)),
            groups: Vec::new(),
            layouts: HashMap::new(),
            modules: HashMap::new(),
            made: FastMap::default(),
            all: Vec::new(),
            device,
        }
    }

    /// The number of the layout that a kernel's bindings have, from one on.
    pub fn layout_of(&self, id: usize) -> usize {
        self.all[id - 1].layout
    }

    /// The layout of a number that [`Pipelines::layout_of`] gave.
    pub fn group_layout(&self, layout: usize) -> &wgpu::BindGroupLayout {
        &self.groups[layout - 1].1
    }

    /// How many kernels were compiled.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// The number of a kernel, from one on. It is compiled now if it is new.
    pub fn find(&mut self, shader: &'static Shader, constants: Constants<'_>) -> usize {
        let same = |key: &Key| {
            key.len() == constants.len() && key.iter().zip(constants).all(|(a, b)| a.1 == b.1.to_bits() && a.0 == b.0)
        };
        let address = std::ptr::from_ref(shader) as usize;
        let known = self.made.get(&address).and_then(|own| own.iter().find(|at| same(&self.all[**at].key)));
        if let Some(at) = known {
            return at + 1;
        }
        let layout = self.layout(shader);
        let raw = self.compile(shader, layout, constants);
        if let Some(cache) = &mut self.cache {
            cache.changed();
        }
        let key = constants.iter().map(|(name, value)| (*name, value.to_bits())).collect();
        self.made.entry(address).or_default().push(self.all.len());
        self.all.push(Made { key, raw, layout });
        self.all.len()
    }

    /// The kernel of a number that [`Pipelines::find`] gave.
    pub fn raw(&self, id: usize) -> &wgpu::ComputePipeline {
        &self.all[id - 1].raw
    }

    /// Whether compiled kernels were found on disk.
    pub fn cache_loaded(&self) -> bool {
        self.cache.as_ref().is_some_and(Cache::loaded)
    }

    /// Writes what was compiled since the last time to disk.
    pub fn persist(&mut self) {
        if let Some(cache) = &mut self.cache {
            cache.save();
        }
    }

    /// The number of the layout of a shader's bindings, made now if it is new.
    fn layout(&mut self, shader: &Shader) -> usize {
        let bindings = (shader.bindings, shader.only_read());
        if let Some(at) = self.groups.iter().position(|(known, _)| *known == bindings) {
            return at + 1;
        }
        let entry = |binding: u32| wgpu::BindGroupLayoutEntry {
            binding,
            visibility: wgpu::ShaderStages::COMPUTE,
            ty: wgpu::BindingType::Buffer {
                ty: wgpu::BufferBindingType::Storage { read_only: bindings.1 >> binding & 1 == 1 },
                has_dynamic_offset: false,
                min_binding_size: None,
            },
            count: None,
        };
        let entries: Vec<_> = (0..bindings.0).map(entry).collect();
        let descriptor = wgpu::BindGroupLayoutDescriptor { label: None, entries: &entries };
        self.groups.push((bindings, self.device.create_bind_group_layout(&descriptor)));
        self.groups.len()
    }

    fn compile(&mut self, shader: &'static Shader, layout: usize, constants: Constants<'_>) -> wgpu::ComputePipeline {
        let device = &self.device;
        let module = self.modules.entry(std::ptr::from_ref(shader) as usize).or_insert_with(|| {
            let source = wgpu::ShaderSource::Wgsl(shader.source.into());
            let descriptor = wgpu::ShaderModuleDescriptor { label: Some(shader.name), source };
            if self.checked {
                return device.create_shader_module(descriptor);
            }
            // SAFETY: our kernels index inside what they were given, by the extents in their parameters. Tests run the
            // same kernels with the checks on.
            unsafe { device.create_shader_module_trusted(descriptor, wgpu::ShaderRuntimeChecks::unchecked()) }
        });
        let layout = self.layouts.entry((layout, shader.params)).or_insert_with(|| {
            device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
                label: None,
                bind_group_layouts: &[Some(&self.groups[layout - 1].1)],
                immediate_size: shader.params * 4,
            })
        });
        device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some(shader.name),
            layout: Some(layout),
            module,
            entry_point: Some("main"),
            compilation_options: wgpu::PipelineCompilationOptions {
                constants,
                // Kernels write what they read of workgroup memory.
                zero_initialize_workgroup_memory: false,
            },
            cache: self.cache.as_ref().map(|cache| &cache.raw),
        })
    }
}
